using Temper.Scan.Adapters;
using Temper.Scan.Rules;
using Temper.Scan.Templates;
using Temper.Scan.Tokenizers;

namespace Temper.Scan.Folders;

/// <summary>What only several files together show: shards and their index, copies that disagree, and the comparison with a declared base.</summary>
internal static class FolderScan
{
    private static readonly Func<ModelFolder, ModelFolder?, IEnumerable<FolderFinding>>[] Rules =
    [
        (folder, _) => ShardIndex.Find(folder),
        (folder, _) => PickleFallback.Find(folder),
        TemplateCopies.Find,
        TokenizerAgainstBase.Find,
        ConfigAgainstBase.Find,
        AdapterWeights.Find,
    ];

    /// <summary>Adds the findings of every folder to the reports on its files.</summary>
    public static ScanReport Extend(List<FileReport> reports, ScanOptions options, CancellationToken cancellation)
    {
        var @base = options.BaseFolder is { } path ? ModelFolder.Open(path) : null;
        var byPath = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var i = 0; i < reports.Count; i++)
        {
            byPath.TryAdd(reports[i].Path, i);
        }

        var folders = reports.Where(r => !r.Path.Contains('!', StringComparison.Ordinal)).GroupBy(r => Path.GetDirectoryName(r.Path) ?? "", StringComparer.Ordinal).ToArray();
        var adapters = new List<AdapterSpectrum>();
        Func<ModelFolder, ModelFolder?, IEnumerable<FolderFinding>>[] rules = [.. Rules, (folder, b) => GgufAdapter.Find(folder, b, cancellation), (folder, _) => AdapterSpectra.Find(folder, options.Cohort, adapters, cancellation)];
        foreach (var group in folders)
        {
            var folder = new ModelFolder(group.Key, group.Select(r => Path.GetFileName(r.Path)).ToHashSet(StringComparer.Ordinal));
            foreach (var found in rules.SelectMany(r => Guarded(r, folder, @base)))
            {
                cancellation.ThrowIfCancellationRequested();
                if (byPath.TryGetValue(folder.File(found.File), out var index))
                {
                    var old = reports[index];
                    var status = found.Incomplete && old.Status == ScanStatus.Complete ? ScanStatus.Inconclusive : old.Status;
                    reports[index] = FileReport.From(old.Path, old.Format, status, [.. old.Findings, found.Finding], old.Verdict) with { Data = old.Data };
                }
            }
        }

        return new(reports) { Adapters = adapters };
    }

    // A file that changes or vanishes while it is compared must not end the scan of all others.
    private static List<FolderFinding> Guarded(Func<ModelFolder, ModelFolder?, IEnumerable<FolderFinding>> rule, ModelFolder folder, ModelFolder? @base)
    {
        var found = new List<FolderFinding>();
        try
        {
            found.AddRange(rule(folder, @base));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or OverflowException or InvalidOperationException)
        {
            var file = folder.Names.FirstOrDefault() ?? "";
            found.Add(new(file, FileCards.Fault.At(folder.File(file), $"Comparing the files of the folder failed ({e.GetType().Name}).", e.Message), Incomplete: true));
        }

        return found;
    }
}

/// <summary>A finding that belongs to one file of a folder.</summary>
internal sealed record FolderFinding(string File, Finding Finding, bool Incomplete = false);
