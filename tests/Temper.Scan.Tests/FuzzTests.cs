using System.Diagnostics;
using System.Globalization;
using Temper.Formats.Bytes;
using Temper.Formats.Pickle;
using Temper.Scan.Artifacts;
using Temper.Scan.Tests.Corpus;

namespace Temper.Scan.Tests;

/// <summary>Mutated fixtures through every reader. TEMPER_FUZZ sets the number of rounds, TEMPER_FUZZ_SEED the seed.</summary>
public sealed class FuzzTests
{
    private static readonly ScanOptions Options = new()
    {
        MaxBytes = 1 << 22, MaxUnpackedBytes = 1 << 24, MaxMembers = 1000, Pickle = new PickleBudget { Steps = 200_000, StackDepth = 10_000, MemoSize = 10_000, Events = 1000 },
    };

    [Fact]
    public void No_mutated_file_crashes_a_reader_or_holds_it_up()
    {
        var rounds = int.Parse(Environment.GetEnvironmentVariable("TEMPER_FUZZ") ?? "20000", CultureInfo.InvariantCulture);
        var seed = int.Parse(Environment.GetEnvironmentVariable("TEMPER_FUZZ_SEED") ?? "20260731", CultureInfo.InvariantCulture);
        var random = new Random(seed);
        var seeds = CorpusTests.Everything.Concat(ScorecardTests.Benign()).SelectMany(f => f.Files).Where(f => f.Bytes.Length is > 0 and < 20_000).ToArray();
        var slowest = TimeSpan.Zero;
        var clock = Stopwatch.StartNew();
        for (var round = 0; round < rounds; round++)
        {
            var (name, bytes) = seeds[random.Next(seeds.Length)];
            var mutated = Mutate(random, bytes, seeds[random.Next(seeds.Length)].Bytes);
            var start = Stopwatch.GetTimestamp();
            var draft = Scan(name, mutated, seed, round);
            var took = Stopwatch.GetElapsedTime(start);
            slowest = took > slowest ? took : slowest;

            Assert.False(draft.Reports().SelectMany(r => r.Findings).Any(f => f.RuleId == "scan.fault"),
                $"seed {seed}, round {round}, {name}: {string.Join("; ", draft.Reports().SelectMany(r => r.Findings).Where(f => f.RuleId == "scan.fault").Select(f => $"{f.Message} {f.Evidence}"))}\n{Convert.ToBase64String(mutated)}");
            Assert.True(took < TimeSpan.FromSeconds(10), $"seed {seed}, round {round}, {name}: {took.TotalSeconds:0.0} s, expected less than 10");
        }

        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}: {rounds} files in {clock.Elapsed.TotalSeconds:0.0} s, slowest {slowest.TotalMilliseconds:0} ms");
    }

    private static Draft Scan(string name, byte[] bytes, int seed, int round)
    {
        try
        {
            return new ArtifactScan(Options, TestContext.Current.CancellationToken).Inner(name, ByteSource.Of(bytes), 0);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            throw new InvalidOperationException($"seed {seed}, round {round}, {name}: {e.GetType().Name}: {e.Message}\n{Convert.ToBase64String(bytes)}", e);
        }
    }

    private static byte[] Mutate(Random random, byte[] bytes, byte[] other)
    {
        List<byte> result = [.. bytes];
        for (var n = random.Next(1, 8); n > 0 && result.Count > 0; n--)
        {
            var at = random.Next(result.Count);
            switch (random.Next(6))
            {
                case 0:
                    result[at] = (byte)random.Next(256);
                    break;
                case 1:
                    result[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 2:
                    result.RemoveRange(at, Math.Min(random.Next(1, 16), result.Count - at));
                    break;
                case 3:
                    result.InsertRange(at, other.AsSpan(0, Math.Min(other.Length, random.Next(1, 64))).ToArray());
                    break;
                case 4:
                    byte[] extreme = random.Next(3) switch { 0 => [0xff, 0xff, 0xff, 0xff], 1 => [0xff, 0xff, 0xff, 0x7f], _ => [0, 0, 0, 0x80] };
                    for (var i = 0; i < extreme.Length && at + i < result.Count; i++)
                    {
                        result[at + i] = extreme[i];
                    }

                    break;
                default:
                    result.InsertRange(at, result.GetRange(at, Math.Min(random.Next(1, 64), result.Count - at)));
                    break;
            }
        }

        return [.. result];
    }
}
