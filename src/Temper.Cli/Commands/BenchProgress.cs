using System.Globalization;
using Temper.Bench.Execution;

namespace Temper.Cli.Commands;

/// <summary>How a running study looks.</summary>
internal static class BenchProgress
{
    public static void Show(StudySession session, Action<Action<StudyProgress>> run) => ProgressLine.Run(session.Study.Name, report =>
    {
        run(p =>
        {
            var running = p.Running.Count == 0 ? "" : p.Running[0] + (p.Running.Count > 1 ? $" and {(p.Running.Count - 1).ToString(CultureInfo.InvariantCulture)} more" : "");
            report(p.Done + p.Failed, p.Total, $"stages{(p.Failed > 0 ? $", {p.Failed} failed" : "")}  {running}", p.Left);
        });
        return true;
    });
}
