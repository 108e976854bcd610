using Spectre.Console;
using Temper.Bench.Execution;
using Temper.Bench.Store;

namespace Temper.Cli.Commands;

/// <summary>What a study would compute, and how far it is.</summary>
internal static class BenchPlan
{
    public static void PrintHeading(StudySession session)
    {
        var plan = session.Plan;
        var done = session.Stages.Count(s => s.State == StageState.Done);
        AnsiConsole.MarkupLine($"[bold]{Markup.Escape(session.Study.Name)}[/]  {plan.Cells.Count} cells, {plan.Stages.Count} stages in place of {plan.Requested} ({(double)plan.Requested / plan.Stages.Count:f1} times fewer, because cells share them)"
            + (done > 0 ? $", {done} done already" : ""));
    }

    public static void Print(StudySession session, int workers)
    {
        PrintHeading(session);
        var table = new Table().Border(TableBorder.Simple).AddColumns("stage", "distinct", "done", "what");
        table.Columns[1].RightAligned();
        table.Columns[2].RightAligned();
        foreach (var kind in session.Stages.GroupBy(s => s.Kind, StringComparer.Ordinal))
        {
            table.AddRow(kind.Key, $"{kind.Count()}", $"{kind.Count(s => s.State == StageState.Done)}",
                Markup.Escape(string.Join("; ", kind.CountBy(s => s.Title).Take(6).Select(t => t.Value > 1 ? $"{t.Key} x{t.Value}" : t.Key))));
        }

        AnsiConsole.Write(table);
        var left = session.Progress(workers).Left;
        AnsiConsole.MarkupLine(left is { } time
            ? $"about {ProgressLine.Show(time)} left on {workers} workers, from what stages took so far"
            : "no estimate yet: no stage of this store has been computed");
    }

    public static int PrintStatus(StudySession session)
    {
        var p = session.Progress(Environment.ProcessorCount);
        AnsiConsole.MarkupLine($"[bold]{Markup.Escape(session.Study.Name)}[/]  {p.Done} of {p.Total} stages done, {p.Running.Count} running, {p.Failed} failed");
        foreach (var failed in session.Stages.Where(s => s.State == StageState.Failed).GroupBy(s => s.Reason, StringComparer.Ordinal))
        {
            AnsiConsole.MarkupLine($"[red]{failed.Count()} stages[/]  {Markup.Escape(failed.Key ?? "")}");
        }

        return p.Failed > 0 ? ExitCodes.Findings : ExitCodes.Done;
    }
}
