using static Temper.Scan.Tests.Corpus.Build;

namespace Temper.Scan.Tests.Corpus;

/// <summary>Writes protobuf, and of ONNX and TensorFlow what the fixtures need.</summary>
internal static class Proto
{
    public static byte[] Bytes(int field, params byte[][] parts)
    {
        byte[] body = [.. parts.SelectMany(p => p)];
        return [.. Varint((ulong)(field << 3) | 2), .. Varint((ulong)body.Length), .. body];
    }

    public static byte[] String(int field, string text) => Bytes(field, Text(text));

    public static byte[] Number(int field, ulong value) => [.. Varint((ulong)field << 3), .. Varint(value)];

    public static byte[] Model(params byte[][] graph) => [.. Number(1, 8), .. String(2, "temper"), .. Bytes(7, graph), .. Bytes(8, String(1, ""), Number(2, 17))];

    public static byte[] Node(string op, string domain, params byte[][] attributes) =>
        Bytes(1, [String(1, "x"), String(2, "y"), String(3, "node"), String(4, op), .. attributes.Select(a => Bytes(5, String(1, "a"), a)), String(7, domain)]);

    /// <summary>The fields of a tensor of one float whose data lies elsewhere.</summary>
    public static byte[] Elsewhere(string location, params (string Key, string Value)[] more) =>
        [.. Number(1, 1), .. Number(2, 1), .. String(8, "w"), .. External("location", location), .. more.SelectMany(m => External(m.Key, m.Value)), .. Number(14, 1)];

    /// <summary>A SavedModel of one meta graph; <paramref name="fields"/> are those of the meta graph besides its graph.</summary>
    public static byte[] SavedModel(byte[] graph, params byte[][] fields) => [.. Number(1, 1), .. Bytes(2, [Bytes(1, String(4, "serve")), Bytes(2, graph), .. fields])];

    public static byte[] Saver(string save, string restore) => Bytes(3, String(1, "saver_filename:0"), String(2, save), String(3, restore));

    public static byte[] Op(string name, string op, params string[] inputs) => Op(1, name, op, inputs, []);

    public static byte[] Call(string name, string function, params string[] inputs) => Op(1, name, "StatefulPartitionedCall", inputs, Attribute("f", Bytes(10, String(1, function))));

    public static byte[] Op(int field, string name, string op, string[] inputs, byte[] attribute) => Bytes(field, [String(1, name), String(2, op), .. inputs.Select(i => String(3, i)), attribute]);

    public static byte[] Attribute(string key, byte[] value) => Bytes(5, String(1, key), Bytes(2, value));

    public static byte[] Library(params byte[][] functions) => Bytes(2, functions);

    public static byte[] Function(string name, params string[] ops) => Bytes(1, [Bytes(1, String(1, name)), .. ops.Select(o => Op(3, o.ToLowerInvariant(), o, [], []))]);

    private static byte[] External(string key, string value) => Bytes(13, String(1, key), String(2, value));

    private static byte[] Varint(ulong value)
    {
        var bytes = new List<byte>();
        for (; value >= 0x80; value >>= 7)
        {
            bytes.Add((byte)(value | 0x80));
        }

        return [.. bytes, (byte)value];
    }
}
