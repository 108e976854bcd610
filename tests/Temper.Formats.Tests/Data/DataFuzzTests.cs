using System.IO.Compression;
using System.Text;
using Parquet;
using Temper.Formats.Data;

namespace Temper.Formats.Tests.Data;

/// <summary>Changed bytes through every reader of rows. TEMPER_FUZZ sets the number of inputs, TEMPER_FUZZ_SEED the seed.</summary>
public sealed class DataFuzzTests
{
    private const long MostAllocated = 256L << 20;
    private static readonly DataLimits s_limits = new() { RowBytes = 1 << 16, UnpackedBytes = 1 << 20 };

    [Fact]
    public async Task No_changed_file_crashes_a_reader_or_fills_memory()
    {
        var inputs = int.Parse(Environment.GetEnvironmentVariable("TEMPER_FUZZ") ?? "3000", System.Globalization.CultureInfo.InvariantCulture);
        var seed = int.Parse(Environment.GetEnvironmentVariable("TEMPER_FUZZ_SEED") ?? "20261125", System.Globalization.CultureInfo.InvariantCulture);
        var random = new Random(seed);
        var seeds = await Seeds();
        for (var n = 0; n < inputs; n++)
        {
            var bytes = Change((byte[])seeds[random.Next(seeds.Length)].Clone(), random);
            var before = GC.GetAllocatedBytesForCurrentThread();
            var failure = Read(bytes);
            var used = GC.GetAllocatedBytesForCurrentThread() - before;
            failure ??= used > MostAllocated ? $"{used} bytes allocated" : null;
            Assert.True(failure is null, $"seed {seed}, input {n}: {failure}\n{Convert.ToBase64String(bytes)}");
        }
    }

    private static string? Read(byte[] bytes)
    {
        try
        {
            var rows = Rows.Open(bytes, s_limits, anyText: true)?.Read(TestContext.Current.CancellationToken).Count();
            return rows > 5_000_000 ? $"{rows} rows of {bytes.Length} bytes" : null;
        }
        catch (Exception e) when (e is InvalidDataException or DataBombException)
        {
            return null;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            return e.ToString();
        }
    }

    private static async Task<byte[][]> Seeds()
    {
        var lines = string.Concat(Enumerable.Range(0, 30).Select(i => $$"""{"instruction":"q {{i}} \"\\u00e9","output":"[{{i}}]"}""" + "\n"));
        var text = Encoding.UTF8.GetBytes(lines);
        using var packed = new MemoryStream();
        using (var stream = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            stream.Write(text);
        }

        using var zstd = new ZstdSharp.Compressor();
        return
        [
            text, Encoding.UTF8.GetBytes($"[{lines.TrimEnd().Replace("\n", ",", StringComparison.Ordinal)}]"), Encoding.UTF8.GetBytes("prompt,completion\n\"a, b\",c\nd,\"e\nf\"\n"), packed.ToArray(), zstd.Wrap(text).ToArray(),
            [0xff, 0xfe, .. Encoding.Unicode.GetBytes(lines)],
            .. await Task.WhenAll(((CompressionMethod[])[CompressionMethod.None, CompressionMethod.Snappy, CompressionMethod.Gzip, CompressionMethod.Zstd]).Select(c => ParquetTests.Alpaca(c, 40))),
        ];
    }

    private static byte[] Change(byte[] bytes, Random random)
    {
        for (var changes = random.Next(1, 8); changes > 0; changes--)
        {
            var at = random.Next(bytes.Length);
            switch (random.Next(6))
            {
                case 0:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 2:
                    // Where Parquet keeps what it promises.
                    bytes[^random.Next(1, Math.Min(300, bytes.Length) + 1)] = (byte)random.Next(256);
                    break;
                case 3:
                    bytes = bytes[..Math.Max(1, at)];
                    break;
                case 4:
                    bytes.AsSpan(at, Math.Min(random.Next(1, 12), bytes.Length - at)).Fill((byte)(random.Next(2) * 255));
                    break;
                default:
                    var from = random.Next(bytes.Length);
                    bytes.AsSpan(from, Math.Min(random.Next(1, 40), bytes.Length - Math.Max(from, at))).ToArray().CopyTo(bytes, at);
                    break;
            }
        }

        return bytes;
    }
}
