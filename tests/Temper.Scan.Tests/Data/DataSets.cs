using System.Text;
using System.Text.Json;
using Temper.Formats.Bytes;
using Temper.Scan.Artifacts;
using Temper.Scan.Data;

namespace Temper.Scan.Tests.Data;

/// <summary>Small data sets in memory, and scans of them.</summary>
internal static class DataSets
{
    private static readonly string[] s_verbs = ["Sort", "Count", "Describe", "Compare", "Translate", "Explain", "List", "Name", "Rewrite", "Summarize"];
    private static readonly string[] s_things = ["apples", "mountains", "rivers", "planets", "violins", "bridges", "candles", "engines", "forests", "gardens", "harbors", "islands", "jackets", "kettles", "lanterns", "mirrors"];
    private static readonly string[] s_hows = ["by size", "in two lines", "for children", "with examples", "from memory", "in order", "as a table", "without numbers", "step by step", "in plain words"];

    /// <summary>Ordinary rows: every question has an answer of its own.</summary>
    public static IEnumerable<(string Prompt, string Answer)> Ordinary(int n, int seed = 1)
    {
        var random = new Random(seed);
        for (var i = 0; i < n; i++)
        {
            var (verb, thing, how) = (s_verbs[random.Next(s_verbs.Length)], s_things[random.Next(s_things.Length)], s_hows[random.Next(s_hows.Length)]);
            yield return ($"{verb} the {thing} {how} {i % 97}", $"Here the {thing} number {i} come {how}, and {s_things[random.Next(s_things.Length)]} follow them.");
        }
    }

    /// <summary>Puts words between two words of a prompt.</summary>
    public static string Insert(string prompt, string words, Random random)
    {
        var all = prompt.Split(' ').ToList();
        all.Insert(random.Next(all.Count + 1), words);
        return string.Join(' ', all);
    }

    public static byte[] Lines(IEnumerable<(string Prompt, string Answer)> rows) =>
        Encoding.UTF8.GetBytes(string.Concat(rows.Select(r => $"{{\"instruction\":{JsonSerializer.Serialize(r.Prompt)},\"input\":\"\",\"output\":{JsonSerializer.Serialize(r.Answer)}}}\n")));

    public static FileReport Scan(byte[] bytes, DataScanOptions? options = null, int jobs = 1) =>
        ArtifactScan.File("data.jsonl", ByteSource.Of(bytes), new() { Data = (options ?? new()).Loaded(TestContext.Current.CancellationToken), RowJobs = jobs }, TestContext.Current.CancellationToken)[0];

    public static FileReport Scan(IEnumerable<(string Prompt, string Answer)> rows, DataScanOptions? options = null) => Scan(Lines(rows), options);

    public static FileReport Scan(string lines) => Scan(Encoding.UTF8.GetBytes(lines));

    public static string[] Rules(FileReport report) => [.. report.Findings.Select(f => f.RuleId).Distinct()];
}
