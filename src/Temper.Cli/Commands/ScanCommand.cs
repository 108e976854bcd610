using System.CommandLine;
using Temper.Core;
using Temper.Scan;
using Temper.Scan.Reports;

namespace Temper.Cli.Commands;

/// <summary><c>temper scan PATH...</c>: may these files be loaded? Nothing of them is executed, and torch is never loaded.</summary>
internal static class ScanCommand
{
    public static Command Create()
    {
        var paths = new Argument<string[]>("path") { Description = "Files and folders", Arity = ArgumentArity.OneOrMore };
        var format = new Option<string>("--format") { Description = "text or json", DefaultValueFactory = _ => "text" };
        format.AcceptOnlyFromAmong("text", "json");
        var output = new Option<string?>("--output") { Description = "Write the report to this file" };
        var failOn = new Option<string>("--fail-on") { Description = "suspicious, malicious, or inconclusive (which includes both)", DefaultValueFactory = _ => "suspicious" };
        failOn.AcceptOnlyFromAmong("suspicious", "malicious", "inconclusive");
        var command = new Command("scan", "Say whether pickles, torch archives and safetensors files are safe to load; exit 1 at or above --fail-on") { paths, format, output, failOn };
        command.SetAction((result, cancellationToken) =>
        {
            var report = Scanner.Scan(result.GetRequiredValue(paths), new(), cancellationToken);
            Write(result.GetValue(format) == "json" ? JsonReport.Write(report) : TextReport.Write(report), result.GetValue(output));
            return Task.FromResult(Fails(report, result.GetValue(failOn)!) ? ExitCodes.Findings : ExitCodes.Done);
        });
        return command;
    }

    private static bool Fails(ScanReport report, string failOn) => failOn switch
    {
        "malicious" => report.Verdict == Verdict.Malicious,
        "suspicious" => report.Verdict >= Verdict.Suspicious,
        _ => report.Verdict >= Verdict.Suspicious || report.Status != ScanStatus.Complete,
    };

    private static void Write(string text, string? output)
    {
        if (output is null)
        {
            Console.Out.Write(text);
            return;
        }

        try
        {
            var aside = $"{output}.{Guid.NewGuid():N}.tmp";
            File.WriteAllText(aside, text);
            File.Move(aside, output, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new TemperException($"--output {output}: expected a file that can be written: {e.Message}", e);
        }
    }
}
