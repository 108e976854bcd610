using System.CommandLine;
using Spectre.Console;
using Temper.Bench.Reports;
using Temper.Core;

namespace Temper.Cli.Commands;

/// <summary><c>temper bench compare A B</c>: what changed between two reports.</summary>
internal static class BenchCompare
{
    public static Command Create()
    {
        var before = new Argument<string>("before") { Description = "report.json of one run" };
        var after = new Argument<string>("after") { Description = "report.json of another" };
        var command = new Command("compare", "Compare two reports cell by cell; exit 1 if a metric got worse beyond both intervals") { before, after };
        command.SetAction(result =>
        {
            var changes = ReportComparison.Of(Read(result.GetRequiredValue(before)), Read(result.GetRequiredValue(after)));
            var table = new Table().Border(TableBorder.Simple).AddColumns("cell", "metric", "before", "after", "");
            foreach (var change in changes)
            {
                table.AddRow(Markup.Escape(change.Cell), change.Metric, Markup.Escape(change.Before), Markup.Escape(change.After),
                    change.Worse ? "[red]worse[/]" : change.Better ? "[green]better[/]" : "[grey]within the intervals[/]");
            }

            if (changes.Count == 0)
            {
                AnsiConsole.MarkupLine("no metric differs");
            }
            else
            {
                AnsiConsole.Write(table);
            }

            return changes.Any(c => c.Worse) ? ExitCodes.Findings : ExitCodes.Done;
        });
        return command;
    }

    private static StudyReport Read(string path)
    {
        try
        {
            return JsonReport.Read(File.ReadAllText(path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or TemperException)
        {
            throw new TemperException($"{path}: expected a report.json: {e.Message}", e);
        }
    }
}
