using System.Globalization;
using Spectre.Console;
using Temper.Bench.Hardening;

namespace Temper.Cli.Commands;

/// <summary>How a hardening looks in a terminal: one live line for the round at hand, a table when it ends.</summary>
internal static class HardenConsole
{
    private const int Shown = 8;

    public static void Heading(HardenRequest request, int workers) => AnsiConsole.MarkupLine(
        $"[bold]harden {Markup.Escape(request.Model.Name)}[/]  against {Markup.Escape(request.Threats.Name)}: {Markup.Escape(string.Join(", ", request.Threats.Attacks.Select(a => a.Name)))}; "
        + $"at most {request.UtilityLoss:p0} of the utility, {request.OverRefusal:p0} more over-refusal, {request.Depth} defenses{(request.Time is { } time ? $", {ProgressLine.Show(time)}" : "")}; {workers} workers");

    public static void End(HardenRound round)
    {
        AnsiConsole.MarkupLine($"\n[bold]{Markup.Escape(round.Name)}[/]  {Markup.Escape(string.Join(", ", round.Attacks))}[grey]; {round.Reused} of {round.Stages} stages were there already[/]");
        if (round.Outcomes.Count == 0)
        {
            return;
        }

        var table = new Table().Border(TableBorder.Rounded).AddColumn("stack");
        foreach (var column in (string[])["score", "worst", "mean", "utility", "over-\nrefusal"])
        {
            table.AddColumn(new TableColumn(column).RightAligned().Padding(0, 0));
        }

        table.AddColumn("");
        // the best, and every one that goes on
        var shown = round.Outcomes.Where((o, i) => i < Shown || o.Fate is HardenFate.Chosen or HardenFate.Promoted).ToArray();
        foreach (var o in shown)
        {
            table.AddRow(Markup.Escape(o.Stack), Percent(o.Score), Percent(o.Worst), Percent(o.Mean), Percent(o.UtilityRatio), Percent(o.AddedRefusal), Fate(o));
        }

        AnsiConsole.Write(table);
        if (round.Outcomes.Count > shown.Length)
        {
            AnsiConsole.MarkupLine($"[grey]and {round.Outcomes.Count - shown.Length} more that were dropped[/]");
        }
    }

    public static void Summary(HardenResult found, IReadOnlyList<string> files)
    {
        AnsiConsole.WriteLine();
        AnsiConsole.MarkupLine($"[bold]{Markup.Escape(found.Sentence())}[/]");
        var table = new Table().Border(TableBorder.Rounded).Title("on seeds that the search did not see").AddColumns("attack", "undefended", "hardened", "");
        foreach (var a in found.Attacks())
        {
            table.AddRow(Markup.Escape(a.Attack), Markup.Escape(a.Undefended), Markup.Escape(a.Hardened), a.Holds ? "[green]holds[/]" : "[red]open[/]");
        }

        AnsiConsole.Write(table);
        AnsiConsole.MarkupLine("It does not protect against:");
        foreach (var open in found.NotProtected())
        {
            AnsiConsole.MarkupLine($"  [yellow]-[/] {Markup.Escape(open)}");
        }

        foreach (var note in found.Notes)
        {
            AnsiConsole.MarkupLine($"[grey]{Markup.Escape(note)}[/]");
        }

        AnsiConsole.MarkupLine($"recipe: {Markup.Escape(files[0])} (evidence: {Markup.Escape(string.Join(", ", files.Skip(1)))})");
    }

    private static string Fate(HardenOutcome outcome) => outcome.Fate switch
    {
        HardenFate.Chosen => "[green]chosen[/]",
        HardenFate.Promoted => "[green]goes on[/]",
        HardenFate.TooCostly or HardenFate.Failed => $"[yellow]{Markup.Escape(HardenMarkdown.Fate(outcome))}[/]",
        HardenFate.Dropped => "[grey]dropped[/]",
        _ => "",
    };

    private static string Percent(double? share) => share is { } s ? (100 * s).ToString("f0", CultureInfo.InvariantCulture) : "[grey]n/a[/]";
}
