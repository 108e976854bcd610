using System.Buffers.Binary;
using Temper.Formats.Bytes;
using Temper.Scan.Tests.Corpus;

namespace Temper.Scan.Tests.Fuzzing;

/// <summary>
/// Changes files: bytes and bits, numbers of every width, words of the formats, parts of other files, parts repeated until they nest or overflow,
/// and what lies inside archives, with the checksums of tar and 7z made right again so that the readers behind them are reached.
/// </summary>
internal sealed class Mutator(Random random, IReadOnlyList<byte[]> others)
{
    private const int Longest = 1 << 17;
    private const int Magic = 8;

    private static readonly byte[][] Words =
    [
        .. new[]
        {
            "PK\u0003\u0004", "PK\u0001\u0002", "PK\u0005\u0006", "PK\u0006\u0006", "PK\u0006\u0007", "GGUF", "\u0080\u0004", "cos\nsystem\n", "\u0093", "R", "(", "t", "b", ".", "}", "q\u0000", "\u0094", "Q",
            "\u0095\u00ff\0\0\0\0\0\0\0", "\u008d", "\u0096", "\u0097\u0098", "\u0082\u0007", "{", "}", "[", "]", "\"", "\\", "\\u0000", "\\ud800", ",", ":", "null", "true", "-1", "1e999", "9223372036854775807",
            "18446744073709551616", "0.1", "{\"", "\"data_offsets\":[0,4]", "\"dtype\":\"F32\"", "\"__metadata__\":{}", "{{", "}}", "{%", "%}", "{#", "#}", "{%- ", "-%}", "|attr(", "__class__", "{% for x in y %}",
            "{% endfor %}", "{% if a %}", "{% else %}", "{% endif %}", "{% macro m() %}", "{% set x = 1 %}", "{% generation %}", " in ", " is not ", "~", "**", "(a+)+$", "(?:", "(?<=", "[^", "{1,99999}", "\\p{L}", "\\b",
            "!!python/object/apply:os.system", "_target_: x.y", "trust_remote_code: true", "|O", "'descr': ", "(1,)", "ustar\0", "\u0093NUMPY", "\u0089HDF\r\n\u001a\n", "TREE", "SNOD", "HEAP", "GCOL", "OHDR", "OCHK", "FRHP",
            "BTHD", "\u001f\u008b\u0008", "BZh9", "\u00fd7zXZ\0", "\u0028\u00b5\u002f\u00fd", "\u0004\u0022\u004d\u0018", "\u00ef\u00bb\u00bf", "\u00ff\u00fe", "\u00e2\u0080\u00ae", "\u00f3\u00a0\u0081\u0081", "\n", "\0",
        }.Select(w => Temper.Tests.PickleBytes.Of(w)),
    ];

    private static readonly long[] Numbers = [0, 1, 2, 4, 7, 8, 15, 16, 31, 32, 63, 64, 127, 128, 255, 256, 511, 512, 32767, 32768, 65535, 65536, 1 << 20, int.MaxValue, 1L << 31, uint.MaxValue, 1L << 32, 1L << 40, long.MaxValue, long.MinValue, -1, -2, -8];

    private static readonly Func<byte[], byte[]>[] Carriers =
    [
        Build.Gzip, Build.Zlib, Build.Bzip2, Build.Zstd, Build.Lz4, d => Build.Torch(d), d => Build.Zip(("a", d), ("b", d)), d => Build.Tar(("pickle", d, '0'), ("storages", d, '0')),
        d => new RawZip { Members = [new("a/data.pkl", d) { Deflate = true }] }.Bytes(), d => Build.Npy("'|O'", "(1,)", d), d => [(byte)'B', .. BitConverter.GetBytes(d.Length), .. d, (byte)'.'],
        d => Build.Text(Convert.ToBase64String(d)), d => Build.Rar("a", d), d => d.Length < 120 ? Build.SevenZip("a", d) : d,
    ];

    public byte[] Mutate(byte[] seed)
    {
        List<byte> data = [.. random.Next(3) > 0 ? JsonMutator.Mutate(random, seed) ?? seed : seed];
        for (var n = data.Count == seed.Length || random.Next(3) == 0 ? 1 + (random.Next(5) * random.Next(2)) : 0; n > 0; n--)
        {
            Step(data);
        }

        if (random.Next(12) == 0)
        {
            data = [.. Carriers[random.Next(Carriers.Length)]([.. data])];
            Step(data);
        }

        var result = data.Count > Longest ? data[..Longest].ToArray() : [.. data];
        if (random.Next(4) > 0)
        {
            Repair(result);
        }

        return result;
    }

    private void Step(List<byte> data)
    {
        if (data.Count == 0)
        {
            return;
        }

        // What a file begins with tells its format, so it is mostly left alone.
        var at = random.Next(8) > 0 && data.Count > Magic ? random.Next(Magic, data.Count) : random.Next(data.Count);
        switch (random.Next(12))
        {
            case 0:
                data[at] = (byte)random.Next(256);
                break;
            case 1:
                data[at] ^= (byte)(1 << random.Next(8));
                break;
            case 2:
                data.RemoveRange(at, Math.Min(random.Next(1, 16), data.Count - at));
                break;
            case 3:
                data.InsertRange(at, Other(64));
                break;
            case 4:
                Number(data, at, _ => Numbers[random.Next(Numbers.Length)]);
                break;
            case 5:
                Number(data, at, n => n + random.Next(-16, 17));
                break;
            case 6:
                data.InsertRange(at, data.GetRange(at, Math.Min(random.Next(1, 64), data.Count - at)));
                break;
            case 7:
                data.InsertRange(at, Words[random.Next(Words.Length)]);
                break;
            case 8:
                Overwrite(data, at, Words[random.Next(Words.Length)]);
                break;
            case 9 when random.Next(4) == 0:
                data.RemoveRange(at, data.Count - at);
                break;
            case 9:
                data.RemoveRange(at, Math.Min(random.Next(1, 300), data.Count - at));
                break;
            case 10 when random.Next(8) == 0:
                Repeat(data, at);
                break;
            case 10:
                Overwrite(data, at, Other(32));
                break;
            case 11 when random.Next(3) > 0:
                data[at] = (byte)(data[at] + random.Next(-2, 3));
                break;
            default:
                // The rest of one file after the beginning of another.
                data.RemoveRange(at, data.Count - at);
                data.AddRange(Other(Longest));
                break;
        }
    }

    private byte[] Other(int most)
    {
        var other = others[random.Next(others.Count)];
        var start = random.Next(other.Length);
        return other.AsSpan(start, Math.Min(random.Next(1, most), other.Length - start)).ToArray();
    }

    private void Number(List<byte> data, int at, Func<long, long> change)
    {
        var width = Math.Min(1 << random.Next(4), data.Count - at);
        Span<byte> bytes = stackalloc byte[8];
        bytes.Clear();
        for (var i = 0; i < width; i++)
        {
            bytes[i] = data[at + i];
        }

        BinaryPrimitives.WriteInt64LittleEndian(bytes, change(BinaryPrimitives.ReadInt64LittleEndian(bytes)));
        for (var i = 0; i < width; i++)
        {
            data[at + i] = bytes[i];
        }
    }

    private void Repeat(List<byte> data, int at)
    {
        var part = random.Next(2) == 0 ? Words[random.Next(Words.Length)] : [.. data.GetRange(at, Math.Min(random.Next(1, 32), data.Count - at))];
        data.InsertRange(at, Enumerable.Repeat(part, random.Next(2, 2000)).SelectMany(p => p).Take(1 << 15));
    }

    private static void Overwrite(List<byte> data, int at, byte[] by)
    {
        for (var i = 0; i < by.Length && at + i < data.Count; i++)
        {
            data[at + i] = by[i];
        }
    }

    private static void Repair(byte[] data)
    {
        if (data.Length >= 512 && data.AsSpan(257, 5).SequenceEqual("ustar"u8))
        {
            for (var at = 0; at + 512 <= data.Length; at += 512)
            {
                var header = data.AsSpan(at, 512);
                if (header.Slice(257, 5).SequenceEqual("ustar"u8))
                {
                    header.Slice(148, 8).Fill((byte)' ');
                    var sum = 0;
                    foreach (var b in header)
                    {
                        sum += b;
                    }

                    Build.Text(Convert.ToString(sum, 8).PadLeft(6, '0') + "\0 ").CopyTo(header[148..]);
                }
            }
        }
        else if (data.Length > 32 && data.AsSpan(0, 6).SequenceEqual((ReadOnlySpan<byte>)[0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c]))
        {
            var (offset, length) = (BinaryPrimitives.ReadInt64LittleEndian(data.AsSpan(12)), BinaryPrimitives.ReadInt64LittleEndian(data.AsSpan(20)));
            if (offset >= 0 && length >= 0 && offset <= data.Length - 32 && length <= data.Length - 32 - offset)
            {
                BinaryPrimitives.WriteUInt32LittleEndian(data.AsSpan(28), Crc32.Compute(data.AsSpan(32 + (int)offset, (int)length)));
            }

            BinaryPrimitives.WriteUInt32LittleEndian(data.AsSpan(8), Crc32.Compute(data.AsSpan(12, 20)));
        }
    }
}
