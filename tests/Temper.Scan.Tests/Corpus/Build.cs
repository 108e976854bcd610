using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using Temper.Formats.Bytes;
using static Temper.Tests.PickleBytes;

namespace Temper.Scan.Tests.Corpus;

/// <summary>Writers of small containers, honest and not.</summary>
internal static class Build
{
    /// <summary>The pickle that every carrier carries: a call with an inert argument.</summary>
    public static readonly byte[] Evil = Of("cos\nsystem\n(S'echo temper-inert'\ntR.");

    /// <summary>A pickle of nothing.</summary>
    public static readonly byte[] None = Of("\u0080\u0002N.");

    public static byte[] Text(string text) => Encoding.UTF8.GetBytes(text);

    public static byte[] Gzip(byte[] data) => Pack(data, s => new GZipStream(s, CompressionLevel.Optimal, leaveOpen: true));

    public static byte[] Gunzip(byte[] data)
    {
        using var unpacked = new MemoryStream();
        using var gzip = new GZipStream(new MemoryStream(data), CompressionMode.Decompress);
        gzip.CopyTo(unpacked);
        return unpacked.ToArray();
    }

    public static byte[] Zlib(byte[] data) => Pack(data, s => new ZLibStream(s, CompressionLevel.Optimal, leaveOpen: true));

    public static byte[] Bzip2(byte[] data) => Pack(data, s => SharpCompress.Compressors.BZip2.BZip2Stream.Create(s, SharpCompress.Compressors.CompressionMode.Compress, false, leaveOpen: true));

    public static byte[] Zstd(byte[] data) => Pack(data, s => new ZstdSharp.CompressionStream(s, leaveOpen: true));

    /// <summary>One uncompressed LZ4 block.</summary>
    public static byte[] Lz4(byte[] data) => [0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82, .. BitConverter.GetBytes((uint)data.Length | 0x8000_0000), .. data, 0, 0, 0, 0];

    public static byte[] Zip(params (string Name, byte[] Bytes)[] members) => new RawZip { Members = [.. members.Select(m => new RawMember(m.Name, m.Bytes))] }.Bytes();

    public static byte[] Torch(byte[] pickle, params (string Name, byte[] Bytes)[] more) =>
        Zip([("archive/data.pkl", pickle), ("archive/byteorder", Text("little")), ("archive/data/0", new byte[64]), ("archive/version", Text("3\n")), .. more]);

    public static byte[] Tar(params (string Name, byte[] Bytes, char Type)[] members)
    {
        using var stream = new MemoryStream();
        foreach (var (name, bytes, type) in members)
        {
            var header = new byte[512];
            Encoding.ASCII.GetBytes(name, header);
            Encoding.ASCII.GetBytes("0000644", header.AsSpan(100));
            Encoding.ASCII.GetBytes(Convert.ToString(bytes.Length, 8).PadLeft(11, '0'), header.AsSpan(124));
            header[156] = (byte)type;
            Encoding.ASCII.GetBytes(type == '2' ? "/etc/hostname" : "", header.AsSpan(157));
            Encoding.ASCII.GetBytes("ustar\000", header.AsSpan(257));
            header.AsSpan(148, 8).Fill((byte)' ');
            Encoding.ASCII.GetBytes(Convert.ToString(header.Sum(b => b), 8).PadLeft(6, '0') + "\0 ", header.AsSpan(148));
            stream.Write(header);
            stream.Write(bytes);
            stream.Write(new byte[(512 - (bytes.Length % 512)) % 512]);
        }

        stream.Write(new byte[1024]);
        return stream.ToArray();
    }

    public static byte[] SevenZip(string name, byte[] data, byte[]? files = null)
    {
        byte[] names = [0, .. Encoding.Unicode.GetBytes(name), 0, 0];
        byte[] header =
        [
            1, 4, 6, 0, 1, 9, (byte)data.Length, 0, 7, 0x0b, 1, 0, 1, 1, 0, 0x0c, (byte)data.Length, 0, 8, 0x0a, 1, .. BitConverter.GetBytes(Crc32.Compute(data)), 0, 0,
            5, .. files ?? [1], 0x11, (byte)names.Length, .. names, 0, 0,
        ];
        byte[] start = [.. BitConverter.GetBytes((long)data.Length), .. BitConverter.GetBytes((long)header.Length), .. BitConverter.GetBytes(Crc32.Compute(header))];
        return [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c, 0, 4, .. BitConverter.GetBytes(Crc32.Compute(start)), .. start, .. data, .. header];
    }

    public static byte[] Rar(string name, byte[] data)
    {
        byte[] main = [0x73, 0, 0, 13, 0, 0, 0, 0, 0, 0, 0];
        byte[] file =
        [
            0x74, 0, 0x80, .. BitConverter.GetBytes((short)(32 + name.Length)), .. BitConverter.GetBytes(data.Length), .. BitConverter.GetBytes(data.Length), 3,
            .. BitConverter.GetBytes(Crc32.Compute(data)), 0, 0, 0x21, 0x5a, 20, 0x30, .. BitConverter.GetBytes((short)name.Length), 0xa4, 0x81, 0, 0, .. Text(name),
        ];
        byte[] end = [0x7b, 0, 0x40, 7, 0];
        return [0x52, 0x61, 0x72, 0x21, 0x1a, 7, 0, .. Block(main), .. Block(file), .. data, .. Block(end)];

        static byte[] Block(byte[] block) => [.. BitConverter.GetBytes((ushort)Crc32.Compute(block)), .. block];
    }

    /// <summary>RAR 5 with one member, stored; <paramref name="dictionary"/> is the power of two above 128 KiB that it asks for.</summary>
    public static byte[] Rar5(string name, byte[] data, int dictionary = 0)
    {
        byte[] file = [2, 2, (byte)data.Length, 4, (byte)data.Length, 0, .. BitConverter.GetBytes(Crc32.Compute(data)), .. Vint(dictionary << 10), 1, (byte)name.Length, .. Text(name)];
        return [0x52, 0x61, 0x72, 0x21, 0x1a, 7, 1, 0, .. Block([1, 0, 0]), .. Block(file), .. data, .. Block([5, 0, 0])];

        static byte[] Block(byte[] block) => [.. BitConverter.GetBytes(Crc32.Compute([(byte)block.Length, .. block])), (byte)block.Length, .. block];
        static byte[] Vint(int value) => value < 128 ? [(byte)value] : [(byte)(value | 0x80), .. Vint(value >> 7)];
    }

    public static byte[] Npy(string descr, string shape, byte[] data)
    {
        var header = $"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n";
        return [0x93, .. Text("NUMPY"), 1, 0, .. BitConverter.GetBytes((ushort)header.Length), .. Text(header), .. data];
    }

    public static byte[] SafeTensors(string header, byte[] data) => SafeTensors(Text(header).LongLength, header, data);

    public static byte[] SafeTensors(long length, string header, byte[] data) => [.. BitConverter.GetBytes(length), .. Text(header), .. data];

    private static byte[] Pack(byte[] data, Func<Stream, Stream> open)
    {
        using var stream = new MemoryStream();
        using (var packer = open(stream))
        {
            packer.Write(data);
        }

        return stream.ToArray();
    }
}

/// <summary>A member whose local header may say something else than the directory.</summary>
internal sealed record RawMember(string Name, byte[] Bytes)
{
    public string? LocalName { get; init; }

    public int Flags { get; init; }

    public int LocalFlags { get; init; }

    public uint CrcFlip { get; init; }

    public uint LocalCrcFlip { get; init; }

    public bool Listed { get; init; } = true;

    public bool Link { get; init; }

    public bool Deflate { get; init; }

    public uint? ClaimedLength { get; init; }

    public int? SameAs { get; init; }
}

/// <summary>Writes zip files as no honest tool would.</summary>
internal sealed class RawZip
{
    public RawMember[] Members { get; init; } = [];

    public byte[] Prefix { get; init; } = [];

    public byte[] Suffix { get; init; } = [];

    public int LieDirectory { get; init; }

    public byte[] Bytes()
    {
        using var stream = new MemoryStream();
        using var directory = new MemoryStream();
        stream.Write(Prefix);
        var offsets = new long[Members.Length];
        var count = 0;
        for (var i = 0; i < Members.Length; i++)
        {
            var m = Members[i];
            var packed = m.Deflate ? Deflate(m.Bytes) : m.Bytes;
            var crc = Crc32.Compute(m.Bytes);
            offsets[i] = m.SameAs is { } same ? offsets[same] : stream.Length - Prefix.Length;
            if (m.SameAs is null)
            {
                var local = Header(30, 0x04034b50, m.LocalName ?? m.Name, m.LocalFlags, m.Deflate, crc ^ m.LocalCrcFlip, packed.Length, m.ClaimedLength ?? (uint)m.Bytes.Length);
                stream.Write(local);
                stream.Write(packed);
            }

            if (m.Listed)
            {
                count++;
                var central = Header(46, 0x02014b50, m.Name, m.Flags, m.Deflate, crc ^ m.CrcFlip, packed.Length, m.ClaimedLength ?? (uint)m.Bytes.Length);
                BinaryPrimitives.WriteUInt32LittleEndian(central.AsSpan(38), m.Link ? 0xA1FF_0000u : 0x81A4_0000u);
                BinaryPrimitives.WriteUInt32LittleEndian(central.AsSpan(42), (uint)offsets[i]);
                directory.Write(central);
            }
        }

        var end = new byte[22];
        BinaryPrimitives.WriteUInt32LittleEndian(end, 0x06054b50);
        BinaryPrimitives.WriteUInt16LittleEndian(end.AsSpan(8), (ushort)count);
        BinaryPrimitives.WriteUInt16LittleEndian(end.AsSpan(10), (ushort)count);
        BinaryPrimitives.WriteUInt32LittleEndian(end.AsSpan(12), (uint)(directory.Length + LieDirectory));
        BinaryPrimitives.WriteUInt32LittleEndian(end.AsSpan(16), (uint)(stream.Length - Prefix.Length));
        return [.. stream.ToArray(), .. directory.ToArray(), .. end, .. Suffix];
    }

    private static byte[] Header(int size, uint magic, string name, int flags, bool deflate, uint crc, int packed, uint length)
    {
        var header = new byte[size + Encoding.UTF8.GetByteCount(name)];
        BinaryPrimitives.WriteUInt32LittleEndian(header, magic);
        var at = size == 30 ? 6 : 8;
        BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(at), (ushort)flags);
        BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(at + 2), (ushort)(deflate ? 8 : 0));
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(at + 8), crc);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(at + 12), (uint)packed);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(at + 16), length);
        BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(at + 20), (ushort)(header.Length - size));
        Encoding.UTF8.GetBytes(name, header.AsSpan(size));
        return header;
    }

    private static byte[] Deflate(byte[] data)
    {
        using var stream = new MemoryStream();
        using (var deflate = new DeflateStream(stream, CompressionLevel.Optimal, leaveOpen: true))
        {
            deflate.Write(data);
        }

        return stream.ToArray();
    }
}
