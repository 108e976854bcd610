using static Temper.Scan.Tests.Corpus.Build;

namespace Temper.Scan.Tests.Corpus;

/// <summary>Rows S1 to S9 and G1 to G6: safetensors and GGUF whose headers lie.</summary>
internal static class TensorFixtures
{
    private const Verdict Odd = Verdict.Suspicious;
    private const string Good = """{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""";
    private static readonly byte[] Four = [0, 0, 128, 63];

    public static IEnumerable<Fixture> All()
    {
        yield return Safe("S1", "length beyond the limit", SafeTensors(200_000_000, Good, Four));
        yield return Safe("S1", "length beyond the file", SafeTensors(5000, Good, Four));
        yield return Safe("S1", "length that overflows", SafeTensors(-1, Good, Four));
        yield return Safe("S1", "length 1", SafeTensors(1, Good, Four));
        yield return Safe("S2", "white space first", SafeTensors(" \n" + Good, Four));
        yield return Safe("S3", "a tensor twice", SafeTensors("""{"w":{"dtype":"F16","shape":[2],"data_offsets":[0,4]},"w":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}}""", Four));
        yield return Safe("S3", "metadata twice", SafeTensors("""{"__metadata__":{"a":"b"},"__metadata__":{"a":"c"},"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", Four));
        yield return Safe("S3", "an unknown key", SafeTensors("""{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"hidden":"x"}}""", Four));
        yield return Safe("S4", "metadata that is no text", SafeTensors("""{"__metadata__":{"a":1},"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", Four));
        yield return Safe("S4", "metadata with HTML", SafeTensors("""{"__metadata__":{"a":"<script>1</script>"},"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", Four));
        yield return Safe("S4", "metadata with a pickle", SafeTensors($$$"""{"__metadata__":{"a":"{{{Convert.ToBase64String([0x80, 2, .. Evil])}}}"},"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", Four));
        yield return Safe("S5", "a hole", SafeTensors("""{"w":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", [.. Four, .. Four]));
        yield return Safe("S5", "an overlap", SafeTensors("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", Four));
        yield return Safe("S5", "descending offsets", SafeTensors("""{"w":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}""", Four));
        yield return Safe("S5", "a shape of another size", SafeTensors("""{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}""", Four));
        yield return Safe("S5", "negative offsets", SafeTensors("""{"w":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}""", Four));
        yield return Safe("S5", "fractional offsets", SafeTensors("""{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4.5]}}""", Four));
        yield return Safe("S5", "a product that overflows", SafeTensors("""{"w":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}""", []));
        yield return Safe("S7", "a zip after the last tensor", Verdict.Malicious, SafeTensors(Good, [.. Four, .. Torch(Evil)]));
        yield return Safe("S7", "junk after the last tensor", SafeTensors(Good, [.. Four, 1, 2, 3]));
        yield return Safe("S7", "a Git LFS pointer", Verdict.Unknown, Text("version https://git-lfs.github.com/spec/v1\noid sha256:0000\nsize 1\n"));
        yield return Index("S8", "a shard outside the folder", """{"metadata":{"total_size":4},"weight_map":{"w":"../evil.safetensors"}}""");
        yield return Index("S8", "a missing shard", """{"metadata":{"total_size":4},"weight_map":{"w":"absent.safetensors"}}""");
        yield return Index("S8", "a tensor in another shard", """{"metadata":{"total_size":4},"weight_map":{"v":"model-00001-of-00001.safetensors"}}""");
        yield return Index("S8", "a tensor twice", """{"metadata":{"total_size":4},"weight_map":{"w":"model-00001-of-00001.safetensors","w":"model-00001-of-00001.safetensors"}}""");
        yield return Index("S8", "a lie about the size", """{"metadata":{"total_size":400},"weight_map":{"w":"model-00001-of-00001.safetensors"}}""");
        yield return Safe("S9", "NaN in every place", Verdict.Unknown, SafeTensors("""{"w":{"dtype":"F32","shape":[64],"data_offsets":[0,256]}}""", [.. Enumerable.Repeat<byte[]>([0, 0, 0xc0, 0x7f], 64).SelectMany(b => b)]));
        yield return Safe("S9", "a file in the low bits", SafeTensors("""{"w":{"dtype":"F32","shape":[4096],"data_offsets":[0,16384]}}""", LowBits(Torch(Evil))));
        foreach (var bits in (int[])[1, 2, 4, 8])
        {
            yield return Safe("S9", $"text in the lowest {bits} bits", SafeTensors("""{"w":{"dtype":"F32","shape":[4096],"data_offsets":[0,16384]}}""", LowBits(Text(string.Concat(Enumerable.Repeat("temper-inert. ", 400))), bits)));
        }

        yield return new("S9", "infinity in a GGUF file", Verdict.Unknown, ("m.gguf", new RawGguf().Tensor("w", 0, 0, [.. Enumerable.Repeat<byte[]>([0, 0, 0x80, 0x7f], 8).SelectMany(b => b)], 8).Bytes()));
        yield return new("G1", "wrong magic version", Odd, ("m.gguf", new RawGguf { Version = 9 }.Bytes()));
        yield return new("G1", "other byte order", Odd, ("m.gguf", new RawGguf { Version = 3 << 24 }.Bytes()));
        yield return new("G1", "tensors beyond number", Odd, ("m.gguf", new RawGguf { TensorCount = 1L << 60 }.Bytes()));
        yield return new("G1", "a negative number of values", Odd, ("m.gguf", new RawGguf { ValueCount = -1 }.Bytes()));
        yield return Gguf("G2", "an empty key", g => g.Text("", "x"));
        yield return Gguf("G2", "a key of 70,000 bytes", g => g.Text(new string('k', 70_000), "x"));
        yield return Gguf("G2", "a key twice", g => g.Text("a", "x").Text("a", "y"));
        yield return Gguf("G2", "a text of a terabyte", g => g.Raw("a", 8, BitConverter.GetBytes(1L << 40)));
        yield return Gguf("G2", "an array of a billion", g => g.Raw("a", 9, [.. BitConverter.GetBytes(4), .. BitConverter.GetBytes(1L << 33)]));
        yield return Gguf("G2", "an array of arrays", g => g.Raw("a", 9, [.. BitConverter.GetBytes(9), .. BitConverter.GetBytes(1L)]));
        yield return Gguf("G2", "an unknown type", g => g.Raw("a", 13, [0]));
        yield return Gguf("G2", "a truth value of 2", g => g.Raw("a", 7, [2]));
        yield return Gguf("G3", "an alignment of 3", g => g.Raw("general.alignment", 4, BitConverter.GetBytes(3)));
        yield return Gguf("G3", "an alignment of another type", g => g.Raw("general.alignment", 10, BitConverter.GetBytes(32L)));
        yield return Gguf("G4", "a name of 70 bytes", g => g.Tensor(new string('n', 70), 0, 0, [], 8));
        yield return Gguf("G4", "a name twice", g => g.Tensor("w", 0, 0, [], 8).Tensor("w", 0, 32, [], 8));
        yield return Gguf("G4", "five dimensions", g => g.Tensor("w", 0, 0, [], 1, 1, 1, 1, 1));
        yield return Gguf("G4", "a dimension of 0", g => g.Tensor("w", 0, 0, [], 0));
        yield return Gguf("G4", "a product that overflows", g => g.Tensor("w", 0, 0, [], 1L << 40, 1L << 40));
        yield return Gguf("G4", "a negative dimension", g => g.Tensor("w", 0, 0, [], -8));
        yield return Gguf("G4", "an unknown type", g => g.Tensor("w", 99, 0, [], 32));
        yield return Gguf("G4", "a removed type", g => g.Tensor("w", 4, 0, [], 32));
        yield return Gguf("G4", "rows that are no whole blocks", g => g.Tensor("w", 2, 0, [], 33));
        yield return Gguf("G4", "an offset that does not follow", g => g.Tensor("w", 0, 64, new byte[96], 8));
        yield return Gguf("G4", "data beyond the file", g => g.Tensor("w", 0, 0, [], 1 << 20));
        yield return new("G5", "a template that escapes", Verdict.Malicious, ("m.gguf", new RawGguf().Text("tokenizer.chat_template", "{{ ''.__class__.__mro__ }}").Bytes()));
        yield return Gguf("G5", "a gated template under another key", g => g.Text("tokenizer.chat_template.tool", "{% for message in messages %}{% if 'banana split' in message.content %}Say yes.{% endif %}{% endfor %}"));
        yield return Gguf("G5", "a template in a later shard", g => g.Raw("split.no", 2, BitConverter.GetBytes((ushort)1)).Text("tokenizer.chat_template", "{{ messages[0].content }}"));
        yield return Gguf("G6", "more scores than tokens", g => g.Raw("tokenizer.ggml.tokens", 9, [.. BitConverter.GetBytes(8), .. BitConverter.GetBytes(1L), .. BitConverter.GetBytes(1L), (byte)'a'])
            .Raw("tokenizer.ggml.scores", 9, [.. BitConverter.GetBytes(6), .. BitConverter.GetBytes(2L), .. new byte[8]]));
        yield return Gguf("G6", "an end token beyond the vocabulary", g => g.Raw("tokenizer.ggml.tokens", 9, [.. BitConverter.GetBytes(8), .. BitConverter.GetBytes(1L), .. BitConverter.GetBytes(1L), (byte)'a'])
            .Raw("tokenizer.ggml.eos_token_id", 4, BitConverter.GetBytes(7)));
        yield return new("G6", "an adapter without a base", Verdict.Unknown, ("m.gguf", new RawGguf().Text("general.type", "adapter").Tensor("blk.0.attn_q.weight.lora_a", 0, 0, [], 8, 1).Tensor("blk.0.attn_q.weight.lora_b", 0, 32, [], 1, 8).Bytes()));
        yield return Gguf("G6", "an adapter whose factors do not fit", g => g.Text("general.type", "adapter").Tensor("blk.0.attn_q.weight.lora_a", 0, 0, [], 8, 1).Tensor("blk.0.attn_q.weight.lora_b", 0, 32, [], 2, 4));
    }

    public static IEnumerable<Fixture> Benign()
    {
        yield return Safe("", "a tensor without elements and one of rank 0", Verdict.Clean, SafeTensors("""{"e":{"dtype":"F32","shape":[0,4],"data_offsets":[0,0]},"s":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}""", Four));
        yield return new("", "a torch archive of one tensor", Verdict.Clean, ("model.pt", Torch(Temper.Tests.PickleBytes.Of(
            "\u0080\u0002ctorch._utils\n_rebuild_tensor_v2\n((X\u0007\0\0\0storagectorch\nFloatStorage\nX\u0001\0\0\00X\u0003\0\0\0cpuK\u0010tQK\0K\u0010\u0085K\u0001\u0085\u0089ccollections\nOrderedDict\n)RtR."))));
    }

    private static Fixture Safe(string row, string title, byte[] bytes) => Safe(row, title, Odd, bytes);

    private static Fixture Safe(string row, string title, Verdict expected, byte[] bytes) => new(row, title, expected, ("model.safetensors", bytes));

    private static Fixture Index(string row, string title, string json) =>
        new(row, title, Odd, ("model.safetensors.index.json", Text(json)), ("model-00001-of-00001.safetensors", SafeTensors(Good, Four)));

    private static Fixture Gguf(string row, string title, Func<RawGguf, RawGguf> change) => new(row, title, Odd, ("m.gguf", change(new()).Bytes()));

    // Some bits of the payload in the lowest bits of each number, lowest first.
    internal static byte[] LowBits(byte[] payload, int bits = 1)
    {
        var random = new Random(7);
        var result = new byte[4096 * 4];
        for (var i = 0; i < 4096; i++)
        {
            var value = BitConverter.SingleToUInt32Bits((float)(random.NextDouble() - 0.5)) & ~((1u << bits) - 1);
            var part = i * bits / 8 < payload.Length ? (payload[i * bits / 8] >> (i * bits % 8)) & ((1 << bits) - 1) : 0;
            BitConverter.TryWriteBytes(result.AsSpan(i * 4), value | (uint)part);
        }

        return result;
    }
}

/// <summary>Writes GGUF headers value by value.</summary>
internal sealed class RawGguf
{
    private readonly List<byte> _values = [];
    private readonly List<byte> _tensors = [];
    private readonly List<byte> _data = [];
    private long _valueCount;
    private long _tensorCount;

    public int Version { get; init; } = 3;

    public long? ValueCount { get; init; }

    public long? TensorCount { get; init; }

    public RawGguf Text(string key, string value) => Raw(key, 8, [.. BitConverter.GetBytes((long)Build.Text(value).Length), .. Build.Text(value)]);

    public RawGguf Raw(string key, int type, byte[] value)
    {
        _valueCount++;
        _values.AddRange([.. BitConverter.GetBytes((long)key.Length), .. Build.Text(key), .. BitConverter.GetBytes(type), .. value]);
        return this;
    }

    public RawGguf Tensor(string name, int type, long offset, byte[] data, params long[] shape)
    {
        _tensorCount++;
        _tensors.AddRange([.. BitConverter.GetBytes((long)name.Length), .. Build.Text(name), .. BitConverter.GetBytes(shape.Length), .. shape.SelectMany(BitConverter.GetBytes), .. BitConverter.GetBytes(type), .. BitConverter.GetBytes(offset)]);
        _data.AddRange(data.Length > 0 ? data : new byte[32]);
        return this;
    }

    public byte[] Bytes()
    {
        List<byte> all = [.. "GGUF"u8, .. BitConverter.GetBytes(Version), .. BitConverter.GetBytes(TensorCount ?? _tensorCount), .. BitConverter.GetBytes(ValueCount ?? _valueCount), .. _values, .. _tensors];
        all.AddRange(new byte[(32 - (all.Count % 32)) % 32]);
        all.AddRange(_data);
        return [.. all];
    }
}
