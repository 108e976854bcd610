using System.Diagnostics;
using System.Globalization;
using Temper.Bench.Execution;
using Temper.Bench.Reports;
using Temper.Bench.Store;
using Temper.Bench.Tests;

namespace Temper.Cli.Tests.Commands;

public sealed class BenchCommandTests : IDisposable
{
    private readonly ToyStudy _toy = new();

    [Fact]
    public void A_run_prints_the_matrix_writes_four_reports_and_the_second_run_computes_nothing()
    {
        var first = Bench("run");
        Assert.True(first.Code == 0, first.Error + first.Output);
        Assert.Contains("12 cells", first.Output, StringComparison.Ordinal);
        Assert.All((string[])["html", "md", "json", "csv"], e => Assert.True(File.Exists(ReportPath(_toy.Store, e))));
        var report = File.ReadAllText(ReportPath(_toy.Store, "md"));

        var second = Bench("run");
        Assert.Equal(0, second.Code);
        Assert.Contains("done already", second.Output, StringComparison.Ordinal);
        Assert.Equal(Untimed(_toy.Store), JsonReport.Write(JsonReport.Read(File.ReadAllText(ReportPath(_toy.Store, "json"))).WithoutTiming()));
        Assert.NotEmpty(report);
    }

    [Fact]
    public void Killed_twenty_times_a_study_loses_nothing_computes_nothing_twice_and_ends_in_the_same_report()
    {
        var seeds = string.Join(", ", Enumerable.Range(1, 20));
        File.WriteAllText(_toy.StudyPath, ToyStudy.Yaml.Replace("seeds: [1, 2]", $"seeds: [{seeds}]", StringComparison.Ordinal));
        var undisturbed = Path.Combine(_toy.Folder, "undisturbed");
        Assert.Equal(0, Bench("run", undisturbed).Code);

        var random = new Random(9);
        for (var kill = 0; kill < 20; kill++)
        {
            using var process = Start("run", _toy.Store);
            var reading = Task.WhenAll(process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken), process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken));
            process.WaitForExit(TimeSpan.FromMilliseconds(random.Next(200, 2500)));
            process.Kill(entireProcessTree: true);
            process.WaitForExit();
        }

        var end = Bench("run");
        Assert.True(end.Code == 0, end.Error + end.Output);
        Assert.Equal(Untimed(undisturbed), Untimed(_toy.Store));
        using var session = new StudySession(_toy.Study(File.ReadAllText(_toy.StudyPath)), _toy.Store);
        Assert.All(session.Stages, s => Assert.Equal((StageState.Done, 1), (s.State, s.Computed)));
        Assert.Empty(Directory.GetDirectories(Path.Combine(_toy.Store, "aside")));
    }

    [Fact]
    public void An_interrupt_ends_with_130_and_a_line_that_says_how_to_go_on()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "needs kill");
        File.WriteAllText(_toy.StudyPath, ToyStudy.Yaml.Replace("steps: 2", "steps: 100000", StringComparison.Ordinal));
        using var process = Start("run", _toy.Store);
        while (!Directory.Exists(Path.Combine(_toy.Store, "aside")) || Directory.GetDirectories(Path.Combine(_toy.Store, "aside")).Length == 0)
        {
            Assert.False(process.HasExited);
            Thread.Sleep(20);
        }

        Thread.Sleep(1000); // into a training
        using (var kill = Process.Start("kill", ["-INT", process.Id.ToString(CultureInfo.InvariantCulture)]))
        {
            kill.WaitForExit();
        }

        var outcome = CommandLine.End(process);
        Assert.Equal(130, outcome.Code);
        Assert.Contains("Go on with the same command: temper bench run", outcome.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Mistakes_in_a_study_end_with_2_and_a_line_each()
    {
        File.WriteAllText(_toy.StudyPath, ToyStudy.Yaml.Replace("plan:", "plam:", StringComparison.Ordinal).Replace("ratio: 0.5", "ratio: 5", StringComparison.Ordinal));
        var outcome = Bench("run");
        Assert.Equal(2, outcome.Code);
        Assert.Contains("plam: found an unknown key", outcome.Error, StringComparison.Ordinal);
        Assert.Contains("attacks[1].settings", outcome.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", outcome.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_dry_run_prints_the_plan_and_computes_nothing()
    {
        var outcome = CommandLine.Run(_toy.Folder, "bench", "run", _toy.StudyPath, "--store", _toy.Store, "--dry-run");
        Assert.Equal(0, outcome.Code);
        Assert.Contains("times fewer", outcome.Output, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(_toy.Store, "reports")));
        Assert.Empty(Directory.GetDirectories(Path.Combine(_toy.Store, "objects")));
    }

    [Fact]
    public void A_failed_cell_makes_the_exit_code_1_and_status_says_why()
    {
        File.WriteAllText(_toy.StudyPath, ToyStudy.Yaml.Replace("  - prefill", "  - {id: refusal-ablation, settings: {prompts: 2, validation: 2}}", StringComparison.Ordinal));
        Assert.Equal(1, Bench("run").Code);
        var status = Bench("status");
        Assert.Equal(1, status.Code);
        Assert.Contains("refusal-ablation: found a refusal score", status.Output.Replace(Environment.NewLine, " ", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Fact]
    public void Compare_finds_no_difference_between_equal_reports_and_says_what_got_worse()
    {
        Assert.Equal(0, Bench("run").Code);
        var path = ReportPath(_toy.Store, "json");
        Assert.Contains("no metric differs", CommandLine.Run(_toy.Folder, "bench", "compare", path, path).Output, StringComparison.Ordinal);

        var report = JsonReport.Read(File.ReadAllText(path));
        var worse = Path.Combine(_toy.Folder, "worse.json");
        File.WriteAllText(worse, JsonReport.Write(report with { Cells = [.. report.Cells.Select(c => c with { Status = CellStatus.Failed })] }));
        var outcome = CommandLine.Run(_toy.Folder, "bench", "compare", path, worse);
        Assert.Equal(1, outcome.Code);
        Assert.Contains("worse", outcome.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_of_studies_runs_one_after_the_other_and_a_mistake_in_the_last_is_told_before_the_first_runs()
    {
        var second = Path.Combine(_toy.Folder, "zoo.yaml");
        // an attacker who searches, with workers in processes of their own
        File.WriteAllText(second, ToyStudy.Yaml.Replace("name: toy\n", "name: zoo\n", StringComparison.Ordinal).Replace("seeds: [1, 2]", "seeds: [1]", StringComparison.Ordinal)
            .Replace("  - prefill", "  - {id: harmful-tuning, space: {steps: [1, 2, 3, 4, 5, 6]}, budget: {trials: 6, parallel: 2}}", StringComparison.Ordinal));
        Outcome Run() => CommandLine.Run(_toy.Folder, "bench", "run", _toy.Folder, "--store", _toy.Store);

        var outcome = Run();
        Assert.True(outcome.Code == 0, outcome.Error + outcome.Output);
        var zoo = JsonReport.Read(File.ReadAllText(Path.Combine(_toy.Store, "reports", "zoo", "report.json")));
        Assert.True(File.Exists(ReportPath(_toy.Store, "html")));
        Assert.Equal((16, 0), (zoo.Cells.Count, zoo.Cells.Count(c => c.Status != CellStatus.Done)));

        File.AppendAllText(second, "colour: red\n");
        Directory.Delete(_toy.Store, recursive: true);
        Assert.Equal(2, Run().Code);
        Assert.False(Directory.Exists(_toy.Store));
    }

    public void Dispose() => _toy.Dispose();

    private static string ReportPath(string store, string extension) => Path.Combine(store, "reports", "toy", $"report.{extension}");

    private static string Untimed(string store) => JsonReport.Write(JsonReport.Read(File.ReadAllText(ReportPath(store, "json"))).WithoutTiming());

    private Process Start(string command, string store) => CommandLine.Start(_toy.Folder, "bench", command, _toy.StudyPath, "--store", store);

    private Outcome Bench(string command, string? store = null) => CommandLine.Run(_toy.Folder, "bench", command, _toy.StudyPath, "--store", store ?? _toy.Store);
}
