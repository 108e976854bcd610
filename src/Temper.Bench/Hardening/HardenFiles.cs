using Temper.Bench.Reports;

namespace Temper.Bench.Hardening;

/// <summary>What a hardening leaves in its folder.</summary>
public static class HardenFiles
{
    /// <returns>The recipe first, then the evidence.</returns>
    public static IReadOnlyList<string> Write(HardenResult result, string folder)
    {
        (string Name, string Text)[] files = [("recipe.yaml", RecipeFile.Write(result)), ("harden.md", HardenMarkdown.Write(result)), ("harden.json", RecipeFile.WriteTrace(result))];
        Directory.CreateDirectory(folder);
        string[] written = [.. files.Select(f => ReportFiles.Replace(Path.Combine(folder, f.Name), f.Text))];
        var evidence = ReportFiles.Write(result.Evidence, Path.Combine(folder, "evidence"));
        if (result.Parts is { } parts)
        {
            ReportFiles.Write(parts, Path.Combine(folder, "evidence", "parts"));
        }

        return [.. written, evidence.First(f => f.EndsWith(".html", StringComparison.Ordinal))];
    }
}
