using System.CommandLine;
using Spectre.Console;
using Temper.Engine.Checkpoints;

namespace Temper.Cli.Commands;

/// <summary><c>temper golden DIR</c>: is this checkpoint computed as transformers computes it?</summary>
internal static class GoldenCommand
{
    public static Command Create()
    {
        var folder = new Argument<string>("dir") { Description = "A checkpoint folder with a golden.json" };
        var command = new Command("golden", "Compare a checkpoint's logits, greedy tokens, loss and gradients with its golden.json") { folder };
        command.SetAction(result => Run(result.GetRequiredValue(folder)));
        return command;
    }

    private static int Run(string folder)
    {
        var checks = Golden.Check(folder);
        var table = new Table().Border(TableBorder.Simple).AddColumns("check", "difference", "tolerance", "");
        foreach (var check in checks.OrderBy(c => c.Passed).ThenByDescending(c => c.Difference / Math.Max(c.Tolerance, 1e-12)).Take(12))
        {
            table.AddRow(Markup.Escape(check.Name), $"{check.Difference:g3}", $"{check.Tolerance:g3}", check.Passed ? "[green]ok[/]" : "[red]beyond[/]");
        }

        AnsiConsole.Write(table);
        var failed = checks.Count(c => !c.Passed);
        AnsiConsole.MarkupLine(failed == 0 ? $"[green]{checks.Count} of {checks.Count} checks within tolerance[/]" : $"[red]{failed} of {checks.Count} checks beyond tolerance[/]");
        return failed == 0 ? ExitCodes.Done : ExitCodes.Findings;
    }
}
