using System.Text;

namespace Temper.Bench.Reports;

/// <summary>Writes all reports of a study into a folder; a reader sees the old file or the new one, never half of one.</summary>
public static class ReportFiles
{
    /// <returns>The paths written.</returns>
    public static IReadOnlyList<string> Write(StudyReport report, string folder)
    {
        (string Name, string Text)[] files =
        [
            ("report.json", JsonReport.Write(report)), ("report.csv", CsvReport.Write(report)), ("analysis.csv", CsvReport.WriteAnalysis(report)),
            ("report.md", MarkdownReport.Write(report)), ("report.html", HtmlReport.Write(report)),
        ];
        Directory.CreateDirectory(folder);
        return [.. files.Select(f => Replace(Path.Combine(folder, f.Name), f.Text))];
    }

    /// <summary>Writes aside, flushes and renames.</summary>
    internal static string Replace(string path, string text)
    {
        var aside = $"{path}.{Guid.NewGuid():N}.tmp";
        try
        {
            using (var file = new FileStream(aside, FileMode.CreateNew, FileAccess.Write))
            {
                file.Write(Encoding.UTF8.GetBytes(text));
                file.Flush(flushToDisk: true);
            }

            File.Move(aside, path, overwrite: true);
        }
        finally
        {
            File.Delete(aside);
        }

        return path;
    }
}
