using System.Globalization;
using System.Text;
using Temper.Tests;

namespace Temper.Scan.Tests.Corpus;

/// <summary>The table of docs/scan.md: what is caught and what is flagged without reason. TEMPER_APPROVE=1 writes it anew.</summary>
public sealed class ScorecardTests
{
    private const string Start = "<!-- scorecard -->\n";
    private const string End = "<!-- /scorecard -->";

    [Fact]
    public void No_dangerous_callable_is_clean_and_nearly_all_are_malicious()
    {
        var verdicts = Callables().Select(name => (name, Verdict: Scan([.. Pickle(name)]).Verdict)).ToArray();

        Assert.Equal([], verdicts.Where(v => v.Verdict < Verdict.Suspicious).Select(v => v.name));
        Assert.True(verdicts.Count(v => v.Verdict == Verdict.Malicious) >= 150, string.Join(' ', verdicts.Where(v => v.Verdict != Verdict.Malicious).Select(v => v.name)));
    }

    [Fact]
    public void No_pickle_of_plain_values_is_flagged() =>
        Assert.Equal([], Plain().Where(p => Scan(p.Bytes).Verdict != Verdict.Clean).Select(p => p.Name));

    [Fact]
    public void No_file_of_another_library_is_flagged() =>
        Assert.Equal([], BenignReports().Where(b => b.Report.Status != ScanStatus.Complete || b.Report.Files.SelectMany(f => f.Findings).Any(f => f.Severity > Severity.Info))
            .Select(b => $"{b.Name}: {string.Join("; ", b.Report.Files.SelectMany(f => f.Findings).Select(f => f.Message + f.Evidence))}"));

    [Fact]
    public void The_table_in_the_docs_is_what_the_scan_does()
    {
        var path = Path.Combine(Root(), "docs", "scan.md");
        var text = File.ReadAllText(path);
        var (from, to) = (text.IndexOf(Start, StringComparison.Ordinal) + Start.Length, text.IndexOf(End, StringComparison.Ordinal));
        var table = Table();
        TestContext.Current.TestOutputHelper?.WriteLine(table);
        if (Environment.GetEnvironmentVariable("TEMPER_APPROVE") == "1")
        {
            File.WriteAllText(path, text[..from] + table + text[to..]);
            return;
        }

        Assert.Equal(table, text[from..to]);
    }

    private static string Table()
    {
        var table = new StringBuilder("| corpus | files | reach their verdict | malicious | suspicious | unknown | clean |\n|---|---|---|---|---|---|---|\n");
        var (caught, hostile) = (0, 0);
        foreach (var group in CorpusTests.Everything.GroupBy(f => Group(f.Row[0]), StringComparer.Ordinal))
        {
            var verdicts = group.Select(f => (f.Expected, CorpusTests.Scan(f).Verdict)).ToArray();
            Add(verdicts.Count(v => v.Verdict >= v.Expected), verdicts.Length);
            Row(table, group.Key, verdicts.Count(v => v.Verdict >= v.Expected), [.. verdicts.Select(v => v.Verdict)]);
        }

        var callables = Callables().Select(n => Scan(Pickle(n)).Verdict).ToArray();
        Row(table, "dangerous callables (E.2)", callables.Count(v => v >= Verdict.Suspicious), callables);
        Add(callables.Count(v => v >= Verdict.Suspicious), callables.Length);
        var plain = Plain().Select(p => Scan(p.Bytes).Verdict).ToArray();
        Row(table, "benign: plain values, protocols 0 to 5", plain.Count(v => v == Verdict.Clean), plain);
        var benign = BenignReports().Select(b => b.Report.Verdict).ToArray();
        Row(table, "benign: torch, joblib, safetensors, Keras, ONNX, TensorFlow", benign.Count(v => v == Verdict.Clean), benign);
        Verdict[] harmless = [.. plain, .. benign];
        table.Append(CultureInfo.InvariantCulture, $"\nCaught: {caught} of {hostile}. False positives: {harmless.Count(v => v != Verdict.Clean)} of {harmless.Length}.\n");
        return table.ToString();

        void Add(int right, int all) => (caught, hostile) = (caught + right, hostile + all);
    }

    private static string Group(char row) => row switch { 'P' => "pickles (E.1)", 'Z' => "containers (E.3)", 'S' => "safetensors (E.4)", 'G' => "GGUF (E.4)", _ => "text and configuration (E.5)" };

    private static void Row(StringBuilder table, string name, int right, Verdict[] verdicts) => table.Append(CultureInfo.InvariantCulture,
        $"| {name} | {verdicts.Length} | {right} | {Count(verdicts, Verdict.Malicious)} | {Count(verdicts, Verdict.Suspicious)} | {Count(verdicts, Verdict.Unknown)} | {Count(verdicts, Verdict.Clean)} |\n");

    private static int Count(Verdict[] verdicts, Verdict verdict) => verdicts.Count(v => v == verdict);

    private static string[] Callables() => File.ReadAllLines(Path.Combine(Root(), "tests", "Temper.Scan.Tests", "Corpus", "dangerous-callables.txt"));

    private static IEnumerable<(string Name, byte[] Bytes)> Plain() => File.ReadAllLines(Path.Combine(Root(), "tests", "Temper.Scan.Tests", "Corpus", "stdlib-pickles.txt"))
        .Select(l => l.Split(' ')).Select(p => ($"{p[0]} at protocol {p[1]}", Convert.FromBase64String(p[2])));

    // Written by the libraries themselves where they could be had.
    internal static IEnumerable<Fixture> Benign() => [.. Files(), .. TensorFixtures.Benign(), .. KerasFixtures.Benign(), .. GraphFixtures.Benign()];

    private static IEnumerable<Fixture> Files() => File.ReadAllLines(Path.Combine(Root(), "tests", "Temper.Scan.Tests", "Corpus", "benign-files.txt"))
        .Select(l => l.Split(' ')).Select(p => new Fixture("", p[0], Verdict.Clean, (p[0], Convert.FromBase64String(p[1]))));

    private static IEnumerable<(string Name, ScanReport Report)> BenignReports() => Benign().Select(f => (f.Title, CorpusTests.Scan(f)));

    private static byte[] Pickle(string full)
    {
        // The deepest module that exists takes the dots; what is dotted beyond it is walked as attributes.
        var dot = full.LastIndexOf('.');
        return PickleBytes.Of("\u0080\u0004", PickleBytes.Short(full[..dot]), PickleBytes.Short(full[(dot + 1)..]), "\u0093(S'echo temper-inert'\ntR.");
    }

    private static ScanReport Scan(byte[] bytes) => CorpusTests.Scan(new("", "", Verdict.Clean, ("file.pkl", bytes)));

    internal static string Root()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Temper.slnx")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException("found no Temper.slnx above the tests, expected one");
    }
}
