using Spectre.Console;

namespace Temper.Cli;

/// <summary>One line of progress with the time left: a live bar in a terminal, now and then a plain line in a pipe; always on standard error.</summary>
internal static class ProgressLine
{
    private static readonly TimeSpan s_plainEvery = TimeSpan.FromSeconds(10);

    public delegate void Report(int done, int total, string detail, TimeSpan? left);

    public static T Run<T>(string title, Func<Report, T> work)
    {
        var console = AnsiConsole.Create(new() { Out = new AnsiConsoleOutput(Console.Error) });
        if (!console.Profile.Out.IsTerminal)
        {
            var clock = TimeProvider.System;
            var (last, ended) = (clock.GetTimestamp(), false);
            return work((done, total, detail, left) =>
            {
                if (!ended && (done == total || clock.GetElapsedTime(last) >= s_plainEvery))
                {
                    (last, ended) = (clock.GetTimestamp(), done == total);
                    Console.Error.WriteLine(done == total ? $"{title}: {done}/{total} done" : $"{title}: {done}/{total} {detail}, {Left(left)}");
                }
            });
        }

        return console.Progress().AutoClear(true).Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn()).Start(context =>
        {
            var task = context.AddTask(Markup.Escape(title));
            return work((done, total, detail, left) =>
            {
                task.MaxValue = total;
                task.Value = done;
                task.Description = Markup.Escape($"{title}: {done}/{total} {detail}, {Left(left)}");
            });
        });
    }

    public static string Show(TimeSpan time) => time.TotalMinutes >= 1 ? $"{(int)time.TotalMinutes} min {time.Seconds} s" : $"{(int)Math.Ceiling(time.TotalSeconds)} s";

    private static string Left(TimeSpan? left) => left is { } time ? $"{Show(time)} left" : "time left not known yet";
}
