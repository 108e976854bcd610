using System.Diagnostics;
using System.Globalization;
using Temper.Scan.Tests.Corpus;

namespace Temper.Scan.Tests.Fuzzing;

/// <summary>Mutated fixtures through every reader. TEMPER_FUZZ sets the number of inputs, TEMPER_FUZZ_SEED the seed; benchmarks/scan/fuzz.sh runs millions.</summary>
public sealed class FuzzTests
{
    private const int LargestSeed = 40_000;
    private const long MostAllocated = 512L << 20;
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(60);

    [Fact]
    public void No_mutated_file_crashes_a_reader_holds_it_up_or_fills_memory()
    {
        var inputs = Setting("TEMPER_FUZZ", 4000);
        var seed = (int)Setting("TEMPER_FUZZ_SEED", 20260731);
        using var targets = new FuzzTargets();
        var seeds = Seeds(targets);
        var random = new Random(seed);
        var mutator = new Mutator(random, [.. seeds.SelectMany(g => g).Select(s => s.Bytes)]);
        var (slowest, most, clock) = (TimeSpan.Zero, 0L, Stopwatch.StartNew());
        for (long n = 0; n < inputs; n++)
        {
            var group = seeds[random.Next(seeds.Count)];
            var (fixture, name, bytes) = group[random.Next(group.Length)];
            var mutated = mutator.Mutate(bytes);
            var (start, allocated) = (Stopwatch.GetTimestamp(), GC.GetAllocatedBytesForCurrentThread());
            var wrong = Run(targets, mutator, random, fixture, name, mutated);
            var (took, used) = (Stopwatch.GetElapsedTime(start), GC.GetAllocatedBytesForCurrentThread() - allocated);
            slowest = took > slowest ? took : slowest;
            most = Math.Max(most, used);
            wrong ??= took > Longest ? $"{took.TotalSeconds:0.0} s, expected less than {Longest.TotalSeconds:0}" : used > MostAllocated ? $"{used} bytes allocated, expected at most {MostAllocated}" : null;
            Assert.True(wrong is null, $"seed {seed}, input {n}, {name}: {wrong}\n{Convert.ToBase64String(mutated)}");
        }

        Say($"seed {seed}: {inputs} inputs in {clock.Elapsed.TotalSeconds:0.0} s, slowest {slowest.TotalMilliseconds:0} ms, most allocated {most >> 20} MiB");
        Say(string.Join(", ", targets.Formats.OrderByDescending(f => f.Value).Select(f => $"{f.Key} {f.Value}")));
    }

    [Fact]
    public void What_longer_runs_found_stays_mended()
    {
        using var targets = new FuzzTargets();
        foreach (var line in File.ReadLines(Path.Combine(ScorecardTests.Root(), "tests", "Temper.Scan.Tests", "Fuzzing", "found.txt")))
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            Assert.Null(targets.File_in_parts(line.Split(' ')[0], Build.Gunzip(Convert.FromBase64String(line.Split(' ')[1])), TestContext.Current.CancellationToken));
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, MostAllocated);
        }
    }

    private static string? Run(FuzzTargets targets, Mutator mutator, Random random, Fixture fixture, string name, byte[] bytes)
    {
        try
        {
            return random.Next(1000) switch
            {
                < 20 => targets.File_in_parts(name, bytes, TestContext.Current.CancellationToken),
                < 25 => targets.Folder(fixture, name, bytes, TestContext.Current.CancellationToken),
                < 30 => targets.Other(mutator, random, bytes),
                _ => targets.File_in_memory(name, bytes, TestContext.Current.CancellationToken),
            };
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            return e.ToString();
        }
    }

    // By the format that they have before they are changed, so that every reader gets its share.
    private static List<(Fixture Fixture, string Name, byte[] Bytes)[]> Seeds(FuzzTargets targets)
    {
        var all = CorpusTests.Everything.Concat(ScorecardTests.Benign()).SelectMany(f => f.Files.Select(x => (Fixture: f, x.Name, x.Bytes))).Where(f => f.Bytes.Length is > 0 and < LargestSeed);
        return [.. all.GroupBy(f => Format(targets, f.Name, f.Bytes), StringComparer.Ordinal).OrderBy(g => g.Key, StringComparer.Ordinal).Select(g => g.ToArray())];
    }

    private static string Format(FuzzTargets targets, string name, byte[] bytes)
    {
        targets.Formats.Clear();
        _ = targets.File_in_memory(name, bytes, TestContext.Current.CancellationToken);
        var format = targets.Formats.Keys.Single();
        targets.Formats.Clear();
        return format;
    }

    private static long Setting(string name, long otherwise) => Environment.GetEnvironmentVariable(name) is { } text ? long.Parse(text, CultureInfo.InvariantCulture) : otherwise;

    private static void Say(string text) => TestContext.Current.TestOutputHelper!.WriteLine(text);
}
