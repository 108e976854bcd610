using System.Text.Json;
using Temper.Scan.Reports;
using Temper.Scan.Rules;
using Temper.Scan.Tests.Corpus;

namespace Temper.Scan.Tests.Reports;

public sealed class ReportTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("temper-reports").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Sarif_has_rules_fingerprints_and_the_worst_results_first()
    {
        File.WriteAllBytes(Path.Combine(_folder, "a.npy"), Build.Npy("'|O'", "(1,)", Build.None));
        File.WriteAllBytes(Path.Combine(_folder, "b ä.pt"), Build.Torch(Build.Evil));
        using var sarif = JsonDocument.Parse(SarifReport.Write(Scan(), _folder));
        var run = sarif.RootElement.GetProperty("runs")[0];
        var rules = run.GetProperty("tool").GetProperty("driver").GetProperty("rules").EnumerateArray().ToArray();
        var results = run.GetProperty("results").EnumerateArray().ToArray();

        Assert.Equal("2.1.0", sarif.RootElement.GetProperty("version").GetString());
        Assert.Equal("error", results[0].GetProperty("level").GetString());
        Assert.Equal("b%20%C3%A4.pt", results[0].GetProperty("locations")[0].GetProperty("physicalLocation").GetProperty("artifactLocation").GetProperty("uri").GetString());
        Assert.All(results, r =>
        {
            Assert.Equal(r.GetProperty("ruleId").GetString(), rules[r.GetProperty("ruleIndex").GetInt32()].GetProperty("id").GetString());
            Assert.Equal(32, r.GetProperty("partialFingerprints").GetProperty("temper/v1").GetString()!.Length);
        });
        Assert.All(rules, r => Assert.True(double.Parse(r.GetProperty("properties").GetProperty("security-severity").GetString()!) is >= 0 and <= 10));
        var severities = results.Select(r => double.Parse(r.GetProperty("properties").GetProperty("security-severity").GetString()!)).ToArray();
        Assert.Equal(severities.OrderDescending(), severities);
    }

    [Fact]
    public void Text_shows_three_bad_files_among_two_hundred_and_counts_the_rest()
    {
        for (var i = 0; i < 200; i++)
        {
            File.WriteAllBytes(Path.Combine(_folder, $"good{i}.pkl"), Build.None);
        }

        File.WriteAllBytes(Path.Combine(_folder, "bad1.pkl"), Build.Evil);
        File.WriteAllBytes(Path.Combine(_folder, "bad2.npy"), Build.Npy("'|O'", "(1,)", Build.Evil));
        File.WriteAllText(Path.Combine(_folder, "bad3.json"), """{"model_type":"x","auto_map":{"AutoModel":"a/b--m.X"}}""");
        var lines = TextReport.Write(Scan()).Split('\n');

        Assert.Equal("MALICIOUS  203 files: 2 malicious, 1 suspicious, 200 clean (1 member)", lines[0]);
        Assert.Contains("The other 200 are clean.", lines);
        Assert.EndsWith("bad1.pkl", lines[^4], StringComparison.Ordinal);
        Assert.EndsWith("bad2.npy", lines[^3], StringComparison.Ordinal);
        Assert.StartsWith("Do not load these files", lines[^2], StringComparison.Ordinal);
        Assert.All(lines, l => Assert.True(l.Length <= 80, l));
        Assert.True(lines.Length < 60, $"{lines.Length} lines");
        Assert.DoesNotContain("good", string.Join('\n', lines), StringComparison.Ordinal);
    }

    [Fact]
    public void Colors_stand_only_around_the_verdict()
    {
        File.WriteAllBytes(Path.Combine(_folder, "bad.pkl"), Build.Evil);
        var colored = TextReport.Write(Scan(), color: true);

        Assert.Contains("\u001b[1;31mMALICIOUS\u001b[0m", colored, StringComparison.Ordinal);
        Assert.Equal(TextReport.Write(Scan()), colored.Replace("\u001b[1;31m", "", StringComparison.Ordinal).Replace("\u001b[0m", "", StringComparison.Ordinal));
    }

    [Fact]
    public void Markdown_keeps_what_files_wrote_in_code()
    {
        File.WriteAllBytes(Path.Combine(_folder, "a`|b.pkl"), Build.Evil);
        var text = MarkdownReport.Write(Scan());

        Assert.Contains("a'\\|b.pkl", text, StringComparison.Ordinal);
        Assert.Contains("**malicious**", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Known_findings_of_a_baseline_no_longer_count_and_new_ones_do()
    {
        File.WriteAllBytes(Path.Combine(_folder, "old.pt"), Build.Torch(Build.Evil));
        var path = Path.Combine(_folder, "..", $"{Path.GetFileName(_folder)}.json");
        File.WriteAllText(path, JsonReport.Write(Scan()));
        try
        {
            var baseline = Baseline.Read(path);
            Assert.Equal(Verdict.Clean, baseline.Without(Scan()).Verdict);

            File.WriteAllBytes(Path.Combine(_folder, "new.pkl"), Build.Evil);
            Assert.Equal(Verdict.Malicious, baseline.Without(Scan()).Verdict);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void A_bill_of_materials_names_model_base_and_files_with_digests()
    {
        File.WriteAllText(Path.Combine(_folder, "config.json"), """{"model_type":"llama","architectures":["LlamaForCausalLM"]}""");
        File.WriteAllText(Path.Combine(_folder, "adapter_config.json"), """{"peft_type":"LORA","r":8,"base_model_name_or_path":"a/b","task_type":"CAUSAL_LM"}""");
        using var bom = JsonDocument.Parse(CycloneDxReport.Write(Scan(), _folder, TestContext.Current.CancellationToken));
        var model = bom.RootElement.GetProperty("metadata").GetProperty("component");

        Assert.Equal("1.6", bom.RootElement.GetProperty("specVersion").GetString());
        Assert.Equal("machine-learning-model", model.GetProperty("type").GetString());
        Assert.Equal("llama", model.GetProperty("modelCard").GetProperty("modelParameters").GetProperty("architectureFamily").GetString());
        Assert.Equal("a/b", model.GetProperty("pedigree").GetProperty("ancestors")[0].GetProperty("name").GetString());
        Assert.Equal(["adapter_config.json", "config.json"], bom.RootElement.GetProperty("components").EnumerateArray().Select(c => c.GetProperty("name").GetString()));
        Assert.All(bom.RootElement.GetProperty("components").EnumerateArray(), c => Assert.Equal(64, c.GetProperty("hashes")[0].GetProperty("content").GetString()!.Length));
    }

    [Fact]
    public void Every_rule_has_a_page_and_every_page_a_rule()
    {
        var folder = Path.Combine(ScorecardTests.Root(), "docs", "rules");
        if (Environment.GetEnvironmentVariable("TEMPER_APPROVE") == "1")
        {
            Directory.CreateDirectory(folder);
            File.WriteAllText(Path.Combine(folder, "README.md"), RulePages.Index());
            foreach (var rule in RuleCatalog.All)
            {
                File.WriteAllText(Path.Combine(folder, $"{rule.Id}.md"), RulePages.Page(rule));
            }
        }

        Assert.Equal(RulePages.Index(), File.ReadAllText(Path.Combine(folder, "README.md")));
        Assert.All(RuleCatalog.All, r => Assert.Equal(RulePages.Page(r), File.ReadAllText(Path.Combine(folder, $"{r.Id}.md"))));
        Assert.Equal(RuleCatalog.All.Count + 1, Directory.GetFiles(folder).Length);
        Assert.Equal(RuleCatalog.All.Count, RuleCatalog.All.Select(r => r.Id).Distinct(StringComparer.Ordinal).Count());
    }

    [Fact]
    public void Every_rule_that_a_scan_reports_is_in_the_catalog() =>
        Assert.Equal([], CorpusTests.Everything.SelectMany(f => CorpusTests.Scan(f).Files).SelectMany(f => f.Findings).Select(f => f.RuleId).Distinct(StringComparer.Ordinal).Where(id => RuleCatalog.Find(id) is null));

    private ScanReport Scan() => Scanner.Scan([_folder], new ScanOptions(), TestContext.Current.CancellationToken);
}
