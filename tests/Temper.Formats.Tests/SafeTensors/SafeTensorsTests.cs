using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Temper.Core;
using Temper.Formats.SafeTensors;
using Temper.Tests;

namespace Temper.Formats.Tests.SafeTensors;

public sealed class SafeTensorsTests : IDisposable
{
    private const string Entry = """{"dtype":"F32","shape":[2],"data_offsets":[0,8]}""";
    private readonly string _folder = Directory.CreateTempSubdirectory("temper-safetensors-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void What_was_written_is_read_and_written_again_byte_for_byte()
    {
        TensorData[] tensors =
        [
            TensorData.FromFloats("z.weight", [2, 3], [1, -2, 0.5f, float.NaN, 0, 3]),
            TensorData.FromFloats("scalar", [], [7], TensorType.BF16),
            new("empty", TensorType.I64, [0, 4], default),
            TensorData.FromFloats("a \"é\" 模型", [3], [1, 2, -65504], TensorType.F16),
            new("odd", TensorType.Bool, [3], new byte[] { 1, 0, 1 }),
        ];
        SafeTensorsWriter.Write(At("one"), tensors, new Dictionary<string, string> { ["format"] = "pt", ["author"] = "x" });
        using (var file = SafeTensorsFile.Open(At("one")))
        {
            Assert.Equal(tensors.Select(t => t.Name), file.Tensors.Select(t => t.Name));
            Assert.Equal(["format", "author"], file.Metadata.Keys);
            Assert.Equal([2, 3], file["z.weight"].Shape);
            Assert.Equal(0, file["z.weight"].Offset % 8);
            Assert.Equal(1, file["scalar"].ElementCount);
            Assert.Equal([1, 2, -65504], Floats(file, "a \"é\" 模型"));
            Assert.Equal([7], Floats(file, "scalar"));
            Assert.Throws<TemperException>(() => Floats(file, "odd"));
            Assert.Throws<TemperException>(() => file["absent"]);
            SafeTensorsWriter.Write(At("two"), [.. file.Tensors.Select(file.Copy)], file.Metadata);
        }

        Assert.Equal(File.ReadAllBytes(At("one")), File.ReadAllBytes(At("two")));
        Assert.Equal(2, Directory.GetFiles(_folder).Length);
    }

    [Theory]
    [InlineData(TensorType.F16)]
    [InlineData(TensorType.BF16)]
    public void Every_sixteen_bit_float_widens_exactly_and_narrows_back(TensorType type)
    {
        var bits = Enumerable.Range(0, 65536 + 3).Select(i => (ushort)i).ToArray();
        SafeTensorsWriter.Write(At("f"), [new("t", type, [bits.Length], MemoryMarshal.AsBytes(bits.AsSpan()).ToArray())]);
        using var file = SafeTensorsFile.Open(At("f"));
        var floats = Floats(file, "t");
        var back = MemoryMarshal.Cast<byte, ushort>(TensorData.FromFloats("t", [floats.Length], floats, type).Bytes.Span);
        for (var i = 0; i < bits.Length; i++)
        {
            var expected = type == TensorType.F16 ? (float)BitConverter.UInt16BitsToHalf(bits[i]) : BitConverter.UInt32BitsToSingle((uint)bits[i] << 16);
            Assert.Equal(expected, floats[i]);
            Assert.True(float.IsNaN(expected) || back[i] == bits[i], $"0x{bits[i]:x4} should come back, came 0x{back[i]:x4}");
        }
    }

    [Fact]
    public void BFloat16_rounds_to_nearest_even()
    {
        var data = TensorData.FromFloats("t", [3], [1.00390625f, 1.01171875f, float.MaxValue], TensorType.BF16);
        Assert.Equal([0x3F80, 0x3F82, 0x7F80], MemoryMarshal.Cast<byte, ushort>(data.Bytes.Span).ToArray());
    }

    [Theory]
    [InlineData("[]", 0, "'{'")]
    [InlineData(" {}", 0, "'{'")]
    [InlineData("{", 0, "JSON")]
    [InlineData("{} {}", 0, "JSON")]
    [InlineData("{\"a\":1}", 0, "object")]
    [InlineData("{}", 1, "1 bytes after the last tensor")]
    [InlineData("{\"a\":" + Entry + "}", 9, "1 bytes after the last tensor")]
    [InlineData("{\"a\":" + Entry + "}", 7, "length of the data section")]
    [InlineData("{\"a\":" + Entry + ",\"a\":" + Entry + "}", 8, "twice")]
    [InlineData("{\"a\":" + Entry + ",\"\\u0061\":" + Entry + "}", 8, "twice")]
    [InlineData("{\"a\":" + Entry + ",\"b\":" + Entry + "}", 8, "overlap")]
    [InlineData("{\"a\":" + Entry + ",\"b\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[9,10]}}", 10, "gap")]
    [InlineData("{\"a\":{\"dtype\":\"F99\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "'F99'")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}", 8, "non-negative")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[2.0],\"data_offsets\":[0,8]}}", 8, "non-negative")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,0]}}", 0, "64 bits")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}}", 8, "12")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]}}", 8, "begin <= end")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0]}}", 8, "begin <= end")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8,8]}}", 8, "at most 2")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}", 8, "'data_offsets'")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "each once")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8],\"x\":0}}", 8, "'x'")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[[2]],\"data_offsets\":[0,8]}}", 8, "JSON")]
    [InlineData("{\"__metadata__\":{\"a\":1}}", 0, "a string")]
    [InlineData("{\"__metadata__\":{\"a\":\"1\",\"a\":\"2\"}}", 0, "twice")]
    [InlineData("{\"__metadata__\":null}", 0, "strings")]
    [InlineData("{\"\\ud800\":" + Entry + "}", 8, "surrogate")]
    public void A_defect_is_refused_with_file_and_expectation(string header, int dataLength, string message)
    {
        var error = Refusal(Raw(Encoding.UTF8.GetBytes(header), new byte[dataLength]));
        Assert.StartsWith(At("raw"), error, StringComparison.Ordinal);
        Assert.Contains(message, error, StringComparison.Ordinal);
        Assert.Contains("expected", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(100_000_001ul, "at most 100000000")]
    [InlineData(ulong.MaxValue, "at most 100000000")]
    [InlineData(3ul, "follow in the file")]
    [InlineData(0ul, "no bytes")]
    public void A_header_length_that_cannot_be_is_refused(ulong length, string message)
    {
        var bytes = Raw("{}"u8, []);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, length);
        Assert.Contains(message, Refusal(bytes), StringComparison.Ordinal);
    }

    [Fact]
    public void Files_that_are_short_absent_or_folders_are_refused()
    {
        Assert.Contains("7 bytes", Refusal(new byte[7]), StringComparison.Ordinal);
        Assert.Throws<TemperException>(() => SafeTensorsFile.Open(At("absent")));
        Assert.Throws<TemperException>(() => SafeTensorsFile.Open(_folder));
    }

    [Fact]
    public void A_name_cannot_put_control_characters_into_a_message() =>
        Assert.DoesNotContain('\u001b', Refusal(Raw("{\"\\u001b[31m\":0}"u8, [])));

    [Fact]
    public void Only_a_refusal_escapes_from_mutated_files()
    {
        const int Seed = 20260731;
        var random = new Random(Seed);
        SafeTensorsWriter.Write(At("good"), [TensorData.FromFloats("a", [2], [1, 2]), TensorData.FromFloats("b", [2, 1], [3, 4], TensorType.F16)],
            new Dictionary<string, string> { ["format"] = "pt" });
        var good = File.ReadAllBytes(At("good"));
        var alphabet = "{}[]\",:0129-.eE\\u\0\u007f ftdn"u8.ToArray();
        for (var round = 0; round < 5000; round++)
        {
            var bytes = good.ToList();
            for (var edits = random.Next(1, 4); edits > 0; edits--)
            {
                var at = random.Next(bytes.Count);
                var value = random.Next(2) == 0 ? alphabet[random.Next(alphabet.Length)] : (byte)random.Next(256);
                switch (random.Next(3))
                {
                    case 0: bytes[at] = value; break;
                    case 1: bytes.Insert(at, value); bytes[0]++; break;
                    default: bytes.RemoveAt(at); bytes[0]--; break;
                }
            }

            if (random.Next(8) == 0)
            {
                var kept = random.Next(bytes.Count / 2, bytes.Count);
                bytes.RemoveRange(kept, bytes.Count - kept);
            }

            File.WriteAllBytes(At("mutant"), [.. bytes]);
            try
            {
                using var file = SafeTensorsFile.Open(At("mutant"));
                foreach (var tensor in file.Tensors)
                {
                    Assert.Equal(tensor.Length, file.Bytes(tensor).Length);
                }
            }
            catch (TemperException)
            {
            }
            catch (Exception e)
            {
                Assert.Fail($"seed {Seed}, round {round}: {e}");
            }
        }
    }

    [Fact]
    public void The_writer_refuses_what_the_reader_would()
    {
        var a = TensorData.FromFloats("a", [1], [1]);
        Assert.Throws<TemperException>(() => SafeTensorsWriter.Write(At("x"), [a, a]));
        Assert.Throws<TemperException>(() => SafeTensorsWriter.Write(At("x"), [a with { Shape = [2] }]));
        Assert.Throws<TemperException>(() => SafeTensorsWriter.Write(At("x"), [a with { Name = "__metadata__" }]));
        Assert.Throws<TemperException>(() => SafeTensorsWriter.Write(At("x"), [a with { Name = "\ud800" }]));
        Assert.Throws<TemperException>(() => SafeTensorsWriter.Write(Path.Combine(_folder, "no", "such", "folder"), [a]));
        Assert.Empty(Directory.GetFiles(_folder));
    }

    [Theory]
    [InlineData("llama")]
    [InlineData("gpt2")]
    [InlineData("qwen3")]
    public void Real_checkpoints_are_read_to_finite_floats(string name)
    {
        using var weights = ShardedSafeTensors.Open(TestData.Require("reference", name));
        Assert.NotEmpty(weights.Tensors);
        foreach (var tensor in weights.Tensors)
        {
            var values = new float[tensor.ElementCount];
            weights.ReadFloats(tensor.Name, values);
            Assert.All(values, v => Assert.True(float.IsFinite(v), tensor.Name));
        }
    }

    [Fact]
    public void A_real_file_is_written_again_byte_for_byte()
    {
        var path = TestData.Require("reference", "llama", "model.safetensors");
        using (var file = SafeTensorsFile.Open(path))
        {
            SafeTensorsWriter.Write(At("again"), [.. file.Tensors.Select(file.Copy)], file.Metadata);
        }

        Assert.Equal(File.ReadAllBytes(path), File.ReadAllBytes(At("again")));
    }

    [Fact]
    public void Shards_are_read_by_name_over_all_files()
    {
        WriteShards("""{"metadata":{"total_size":8},"weight_map":{"b":"2.safetensors","a":"1.safetensors"}}""");
        using var weights = ShardedSafeTensors.Open(_folder);
        Assert.Equal(["a", "b"], weights.Tensors.Select(t => t.Name));
        var value = new float[1];
        weights.ReadFloats("b", value);
        Assert.Equal(2, value[0]);
        Assert.False(weights.TryGet("c", out _));
        Assert.Throws<TemperException>(() => weights.ReadFloats("c", value));
    }

    [Theory]
    [InlineData("""{"weight_map":{"a":"../1.safetensors"}}""")]
    [InlineData("""{"weight_map":{"a":"/etc/1.safetensors"}}""")]
    [InlineData("""{"weight_map":{"a":"..\\1.safetensors"}}""")]
    [InlineData("""{"weight_map":{"a":"C:1.safetensors"}}""")]
    [InlineData("""{"weight_map":{"a":".."}}""")]
    [InlineData("""{"weight_map":{"a":""}}""")]
    [InlineData("""{"weight_map":{"a":"3.safetensors"}}""")]
    [InlineData("""{"weight_map":{"a":"2.safetensors"}}""")]
    [InlineData("""{"weight_map":{"a":"1.safetensors","a":"1.safetensors"}}""")]
    [InlineData("""{"weight_map":{"a":1}}""")]
    [InlineData("""{"weight_map":{},"weight_map":{}}""")]
    [InlineData("""{"metadata":{}}""")]
    [InlineData("""{"metadata":[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]}""")]
    [InlineData("""[]""")]
    [InlineData("")]
    public void A_defective_index_is_refused(string index)
    {
        WriteShards(index);
        Assert.Throws<TemperException>(() => ShardedSafeTensors.Open(_folder));
    }

    [Fact]
    public void A_tensor_in_two_shards_is_refused()
    {
        WriteShards("""{"weight_map":{"a":"1.safetensors","b":"2.safetensors"}}""");
        File.Copy(At("1.safetensors"), At("2.safetensors"), overwrite: true);
        Assert.Contains("two shards", Assert.Throws<TemperException>(() => ShardedSafeTensors.Open(_folder)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_disposed_file_or_an_entry_of_another_file_is_refused()
    {
        WriteShards("{}");
        using var one = SafeTensorsFile.Open(At("1.safetensors"));
        var two = SafeTensorsFile.Open(At("2.safetensors"));
        var b = two["b"];
        Assert.Throws<TemperException>(() => one.Bytes(b).Length);
        Assert.Throws<TemperException>(() => one.Bytes(one["a"] with { Length = 1 << 20 }).Length);
        two.Dispose();
        two.Dispose();
        Assert.Throws<ObjectDisposedException>(() => two.Bytes(b).Length);
    }

    [Fact]
    public void A_folder_without_weights_is_refused() => Assert.Throws<TemperException>(() => ShardedSafeTensors.Open(_folder));

    private void WriteShards(string index)
    {
        SafeTensorsWriter.Write(At("1.safetensors"), [TensorData.FromFloats("a", [1], [1])]);
        SafeTensorsWriter.Write(At("2.safetensors"), [TensorData.FromFloats("b", [1], [2])]);
        File.WriteAllText(At("model.safetensors.index.json"), index);
    }

    private string At(string name) => Path.Combine(_folder, name);

    private string Refusal(byte[] bytes)
    {
        File.WriteAllBytes(At("raw"), bytes);
        return Assert.Throws<TemperException>(() => SafeTensorsFile.Open(At("raw"))).Message;
    }

    private static byte[] Raw(ReadOnlySpan<byte> header, ReadOnlySpan<byte> data)
    {
        var length = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
        return [.. length, .. header, .. data];
    }

    private static float[] Floats(SafeTensorsFile file, string name)
    {
        var values = new float[file[name].ElementCount];
        file.ReadFloats(file[name], values);
        return values;
    }
}
