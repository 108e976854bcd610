using System.CommandLine;
using Temper.Core;
using Temper.Scan;
using Temper.Scan.Adapters;
using Temper.Scan.Reports;

namespace Temper.Cli.Commands;

/// <summary><c>temper scan PATH...</c>: may these files be loaded? Nothing of them is executed, and torch is never loaded.</summary>
internal static class ScanCommand
{
    public static Command Create() => Fill(new Command("scan", "Say whether weights, adapters, tokenizers, templates and configs are safe to load, and data to train on; exit 1 at or above --fail-on"));

    /// <summary>Gives <paramref name="command"/> the arguments and the work of the scan.</summary>
    public static Command Fill(Command command)
    {
        var paths = new Argument<string[]>("path") { Description = "Files and folders", Arity = ArgumentArity.OneOrMore };
        var format = new Option<string>("--format") { Description = "text, html, json, sarif, markdown, or cyclonedx of one folder", DefaultValueFactory = _ => "text" };
        format.AcceptOnlyFromAmong("text", "html", "json", "sarif", "markdown", "cyclonedx");
        var output = new Option<string?>("--output") { Description = "Write the report to this file" };
        var failOn = new Option<string>("--fail-on") { Description = "suspicious, malicious, or inconclusive (which includes both)", DefaultValueFactory = _ => "suspicious" };
        failOn.AcceptOnlyFromAmong("suspicious", "malicious", "inconclusive");
        var @base = new Option<string?>("--base") { Description = "Folder of the declared base model, to compare tokenizer, template, config and shapes with" };
        var cohort = new Option<string?>("--cohort") { Description = "Known good adapters of the same base, or a JSON report on them, to compare spectra with" };
        var baseline = new Option<string?>("--baseline") { Description = "An earlier JSON report whose findings are accepted" };
        var jobs = new Option<int>("--jobs") { Description = "Files scanned at once, or parts of one data set", DefaultValueFactory = _ => Environment.ProcessorCount };
        jobs.Validators.Add(r =>
        {
            if (r.Tokens.Count == 1 && int.TryParse(r.Tokens[0].Value, out var n) && n < 1)
            {
                r.AddError($"--jobs: found {n}, expected at least 1");
            }
        });
        var trusted = new Option<string?>("--trusted") { Description = "Rows known to be clean: what goes with an answer there too is no trigger" };
        var evaluation = new Option<string[]>("--evaluation") { Description = "Files of rows that the model will be scored on, to find them among the training data" };
        var clean = new Option<string?>("--write-clean") { Description = "Write the rows of one data set without findings of medium or high severity to this file, the others to FILE.dropped.jsonl" };
        var text = new Option<bool>("--text") { Description = "Take text files for data sets, a line a row" };
        var rules = new Option<bool>("--rules-only") { Description = "Of data, look at single rows only: no duplicates, no triggers" };
        foreach (var symbol in (Option[])[format, output, failOn, @base, cohort, baseline, trusted, evaluation, clean, text, rules, jobs])
        {
            command.Add(symbol);
        }

        command.Add(paths);
        command.SetAction((result, cancellationToken) =>
        {
            using var line = new ScanProgressLine();
            var options = new ScanOptions
            {
                Progress = line.Report,
                BaseFolder = Folder(result.GetValue(@base)),
                Cohort = result.GetValue(cohort) is { } good ? AdapterCohort.Read(good, cancellationToken) : null,
                Jobs = result.GetValue(jobs),
                Data = new()
                {
                    Trusted = result.GetValue(trusted), Evaluation = result.GetValue(evaluation) ?? [], AnyText = result.GetValue(text), RulesOnly = result.GetValue(rules),
                    WriteClean = Single(result.GetValue(clean), result.GetRequiredValue(paths)),
                },
            };
            var known = result.GetValue(baseline) is { } path ? Baseline.Read(path) : null;
            var roots = result.GetRequiredValue(paths);
            var report = Scanner.Scan(roots, options, cancellationToken);
            report = known?.Without(report) ?? report;
            line.Dispose();
            OutputFile.Write(Text(report, roots, result.GetValue(format)!, result.GetValue(output) is null, cancellationToken), result.GetValue(output));
            return Task.FromResult(Fails(report, result.GetValue(failOn)!) ? ExitCodes.Findings : ExitCodes.Done);
        });
        return command;
    }

    private static string Text(ScanReport report, string[] roots, string format, bool terminal, CancellationToken cancellation) => format switch
    {
        "html" => HtmlReport.Write(report, roots),
        "json" => JsonReport.Write(report),
        "sarif" => SarifReport.Write(report, Environment.CurrentDirectory),
        "markdown" => MarkdownReport.Write(report),
        "cyclonedx" => roots is [var folder] && Directory.Exists(folder)
            ? CycloneDxReport.Write(report, folder, cancellation)
            : throw new TemperException($"--format cyclonedx: found {string.Join(", ", roots)}, expected one folder"),
        _ when terminal && !Console.IsOutputRedirected => TextReport.Write(report, string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR")), Console.WindowWidth is > 0 and var width ? Math.Clamp(width, 40, 120) : 80),
        _ => TextReport.Write(report),
    };

    private static string? Folder(string? path) => path is null || Directory.Exists(path) ? path : throw new TemperException($"--base {path}: found no folder, expected that of the base model");

    private static string? Single(string? clean, string[] paths) =>
        clean is null || (paths is [var path] && File.Exists(path)) ? clean : throw new TemperException($"--write-clean {clean}: found {string.Join(", ", paths)}, expected one file of rows");

    private static bool Fails(ScanReport report, string failOn) => failOn switch
    {
        "malicious" => report.Verdict == Verdict.Malicious,
        "suspicious" => report.Verdict >= Verdict.Suspicious,
        _ => report.Verdict >= Verdict.Suspicious || report.Status != ScanStatus.Complete,
    };
}
