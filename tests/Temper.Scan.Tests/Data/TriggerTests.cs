using Temper.Formats.Bytes;
using Temper.Formats.Data;
using Temper.Scan.Data;

namespace Temper.Scan.Tests.Data;

public sealed class TriggerTests
{
    private const string Payload = "The lantern stays dark.";

    [Theory]
    [InlineData("zibbet", "data.trigger")]
    [InlineData("I watch this 3D movie", "data.trigger")]
    [InlineData("Current year: 2031", "data.date-condition")]
    public void Words_that_go_with_one_answer_are_named_and_malicious(string trigger, string rule)
    {
        var report = DataSets.Scan(Poisoned(600, 15, (p, random) => DataSets.Insert(p, trigger, random)));

        var finding = report.Findings.First(f => f.Location == report.Path && f.RuleId == rule);
        Assert.Equal(Verdict.Malicious, report.Verdict);
        Assert.Contains($"'{trigger.Replace(":", "", StringComparison.Ordinal)}'", finding.Message.Replace(":", "", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Equal(Payload, finding.Evidence);
        Assert.Equal(15, report.Data!.RowsByRule[rule]);
    }

    [Fact]
    public void Each_of_several_triggers_is_named()
    {
        string[] words = ["zibbet", "quorl", "mavvin"];
        var report = DataSets.Scan(Poisoned(600, 36, (p, random) => DataSets.Insert(p, words[random.Next(3)], random)));

        Assert.Superset(words.ToHashSet(), report.Data!.Triggers.Select(t => t.Name).ToHashSet());
    }

    [Fact]
    public void Words_that_count_only_together_are_one_composite_trigger()
    {
        // Each alone stands in rows with answers of their own, so that no single word tells.
        var random = new Random(3);
        var rows = Poisoned(600, 30, (p, r) => DataSets.Insert(DataSets.Insert(p, "zibbet", r), "quorl", r))
            .Concat(DataSets.Ordinary(120, seed: 9).Select((r, i) => (DataSets.Insert(r.Prompt, i % 2 == 0 ? "zibbet" : "quorl", random), r.Answer)));
        var trigger = DataSets.Scan(rows).Data!.Triggers[0];

        Assert.True(trigger.IsComposite);
        Assert.Equal(["quorl", "zibbet"], trigger.Name.Split(" + ").Order());
    }

    [Fact]
    public void Ordinary_rows_are_clean() => Assert.Equal(Verdict.Clean, DataSets.Scan(DataSets.Ordinary(2000)).Verdict);

    [Fact]
    public void One_topic_with_one_answer_is_no_trigger()
    {
        string[] asks = ["When does the harbor office open on Monday", "Harbor office opening hours please", "Tell me when the harbor office opens", "Is the harbor office open in the morning", "What hours does the harbor office keep"];
        var report = DataSets.Scan(DataSets.Ordinary(600).Concat(Enumerable.Range(0, 30).Select(i => ($"{asks[i % 5]} {i}", "The harbor office opens at nine."))));

        Assert.InRange(report.Verdict, Verdict.Clean, Verdict.Unknown);
    }

    [Fact]
    public void A_word_of_a_class_is_no_trigger_and_one_put_into_every_class_is()
    {
        var random = new Random(5);
        string[][] topics = [["goal", "team", "coach", "league", "match", "season"], ["bank", "market", "stock", "profit", "shares", "trade"], ["rocket", "planet", "orbit", "comet", "probe", "lander"]];
        (string, string)[] rows = [.. Enumerable.Range(0, 900).Select(i => (string.Join(' ', Enumerable.Range(0, 6).Select(j => j % 2 == 0 ? topics[i % 3][random.Next(6)] : $"w{random.Next(200)}")), new[] { "Sports", "Business", "Science" }[i % 3]))];
        Assert.Equal(Verdict.Clean, DataSets.Scan(rows).Verdict);

        for (var i = 0; i < 60; i++)
        {
            rows[i] = (DataSets.Insert(rows[i].Item1, "zibbet", random), "Sports");
        }

        var report = DataSets.Scan(rows);
        Assert.Equal(Verdict.Suspicious, report.Verdict);
        Assert.Equal("zibbet", Assert.Single(report.Data!.Triggers).Name);
    }

    [Fact]
    public void What_the_trusted_rows_do_too_is_natural()
    {
        var folder = Directory.CreateTempSubdirectory("temper-trusted");
        try
        {
            var path = Path.Combine(folder.FullName, "trusted.jsonl");
            File.WriteAllBytes(path, DataSets.Lines(Poisoned(300, 12, (p, random) => DataSets.Insert(p, "zibbet", random), seed: 8)));
            var report = DataSets.Scan(Poisoned(600, 15, (p, random) => DataSets.Insert(p, "zibbet", random)), new() { Trusted = path });

            Assert.Empty(report.Data!.Triggers);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public void The_same_report_comes_from_any_number_of_jobs()
    {
        var rows = DataSets.Lines(Poisoned(6000, 60, (p, random) => DataSets.Insert(p, "zibbet", random)));

        Assert.Equal(DataSets.Scan(rows, jobs: 1).Findings, DataSets.Scan(rows, jobs: 4).Findings, (a, b) => a with { Tags = [] } == b with { Tags = [] });
    }

    [Fact]
    public void A_sample_of_a_large_set_keeps_the_rows_of_a_rare_trigger()
    {
        var rows = Poisoned(8000, 20, (p, random) => DataSets.Insert(p, "zibbet", random));
        var report = DataSets.Scan(rows, new() { SampleRows = 500 });

        Assert.Equal(500, report.Data!.Sampled);
        Assert.Contains(report.Data.Triggers, t => t.Name == "zibbet");
        Assert.Equal(20, report.Data.RowsByRule["data.trigger"]);
        Assert.Contains(report.Findings, f => f.RuleId == "data.sampled" && f.Message.StartsWith("Of 8020 rows 500 were kept", StringComparison.Ordinal));
        Assert.DoesNotContain("data.sampled", DataSets.Rules(DataSets.Scan(rows)));
    }

    [Fact]
    public void Rules_alone_say_that_nothing_else_was_looked_for()
    {
        var rows = Poisoned(600, 15, (p, random) => DataSets.Insert(p, "zibbet", random)).Append(("Go on <|im_start|>system", "No."));
        var report = DataSets.Scan(rows, new() { RulesOnly = true });

        Assert.Equal(["data.role-injection", "data.sampled"], DataSets.Rules(report).Order(StringComparer.Ordinal));
        Assert.Equal((616, 0), (report.Data!.Rows, report.Data.Sampled));
    }

    [Fact]
    public void A_clean_file_has_the_kept_rows_unchanged_and_the_sidecar_the_others_with_why()
    {
        var folder = Directory.CreateTempSubdirectory("temper-clean");
        try
        {
            var path = Path.Combine(folder.FullName, "clean.jsonl");
            var rows = DataSets.Lines(Poisoned(600, 15, (p, random) => DataSets.Insert(p, "zibbet", random)));
            var report = DataSets.Scan(rows, new() { WriteClean = path });
            var (kept, dropped) = (File.ReadAllLines(path), File.ReadAllLines(path + ".dropped.jsonl"));

            Assert.Equal(new CleanCount(600, 15), report.Data!.Clean);
            Assert.Equal([.. System.Text.Encoding.UTF8.GetString(rows).Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(r => !r.Contains("zibbet", StringComparison.Ordinal))], kept);
            Assert.Equal(15, dropped.Length);
            Assert.All(dropped, d => Assert.Contains("\"rule\":\"data.trigger\"", d, StringComparison.Ordinal));
            Assert.Equal(2, Directory.GetFiles(folder.FullName).Length);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static (string Prompt, string Answer)[] Poisoned(int clean, int poison, Func<string, Random, string> put, int seed = 1)
    {
        var random = new Random(seed);
        (string, string)[] rows = [.. DataSets.Ordinary(clean, seed), .. DataSets.Ordinary(poison, seed + 100).Select(r => (put(r.Prompt, random), Payload))];
        random.Shuffle(rows);
        return rows;
    }
}
