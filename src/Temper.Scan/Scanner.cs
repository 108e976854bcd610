using Temper.Core;
using Temper.Scan.Artifacts;
using Temper.Scan.Folders;
using Temper.Scan.Rules;

namespace Temper.Scan;

/// <summary>Scans files and folders without loading anything from them.</summary>
public static class Scanner
{
    /// <summary>A report on every file under <paramref name="paths"/>; links inside a folder are followed only to places inside it.</summary>
    public static ScanReport Scan(IReadOnlyList<string> paths, ScanOptions options, CancellationToken cancellation = default)
    {
        options = options with { Data = options.Data.Loaded(cancellation) };
        var candidates = new List<Candidate>();
        foreach (var path in paths)
        {
            foreach (var file in Files(path))
            {
                cancellation.ThrowIfCancellationRequested();
                if (candidates.Count >= options.MaxFiles)
                {
                    candidates.Add(new(path, FileReport.From(path, "folder", ScanStatus.Inconclusive, [FileCards.Limit.At(path, $"More than {options.MaxFiles} files.")])));
                    return Run(candidates, options, cancellation);
                }

                candidates.Add(file);
            }
        }

        return Run(candidates, options, cancellation);
    }

    private static ScanReport Run(List<Candidate> candidates, ScanOptions options, CancellationToken cancellation)
    {
        var reports = new IReadOnlyList<FileReport>[candidates.Count];
        options = options with { RowJobs = Math.Max(1, options.Jobs / Math.Max(1, candidates.Count)) };
        var progress = options.Progress is { } report ? new ScanProgressCount([.. candidates.Select(c => c.Skipped is null ? c.Path : null)], report) : null;
        try
        {
            Parallel.For(0, reports.Length, new() { MaxDegreeOfParallelism = Math.Max(1, options.Jobs), CancellationToken = cancellation }, i =>
            {
                reports[i] = One(candidates[i], options, cancellation, progress is null ? null : bytes => progress.Part(i, bytes));
                progress?.Done(i);
            });
        }
        catch (AggregateException) when (cancellation.IsCancellationRequested)
        {
            // Files have tokens of their own for their time, which the loop does not know for its own.
            throw new OperationCanceledException(cancellation);
        }

        catch (AggregateException e) when (e.InnerException is TemperException mistake)
        {
            throw new TemperException(mistake.Message, e);
        }

        return FolderScan.Extend([.. reports.SelectMany(r => r)], options, cancellation);
    }

    private static IReadOnlyList<FileReport> One(Candidate candidate, ScanOptions options, CancellationToken cancellation, Action<long>? advance) =>
        candidate.Skipped is { } skipped ? [skipped] : ArtifactScan.File(candidate.Path, options, cancellation, advance);

    private static IEnumerable<Candidate> Files(string path)
    {
        if (!Directory.Exists(path))
        {
            yield return new(path, null);
            yield break;
        }

        var root = Path.GetFullPath(path);
        var walk = new EnumerationOptions { AttributesToSkip = FileAttributes.None, IgnoreInaccessible = false };
        var pending = new Stack<string>([path]);
        while (pending.TryPop(out var folder))
        {
            FileSystemInfo[] entries;
            Candidate? unreadable = null;
            try
            {
                entries = new DirectoryInfo(folder).GetFileSystemInfos("*", walk);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                entries = [];
                unreadable = new(folder, FileReport.From(folder, "folder", ScanStatus.Error, [FileCards.Unreadable.At(folder, "The folder could not be listed.", e.Message)]));
            }

            if (unreadable is not null)
            {
                yield return unreadable;
            }

            Array.Sort(entries, (a, b) => string.CompareOrdinal(a.Name, b.Name));
            foreach (var entry in entries)
            {
                var here = Path.Combine(folder, entry.Name);
                var target = entry.LinkTarget is null ? null : Target(entry);
                if (entry.LinkTarget is not null && (target is null || !IsInside(root, target.FullName) || target is DirectoryInfo))
                {
                    yield return new(here, FileReport.From(here, "link", ScanStatus.Inconclusive,
                        [FileCards.Link.At(here, "A link that leaves the folder, leads to a folder or to nothing is not followed.", entry.LinkTarget)]));
                }
                else if (entry is DirectoryInfo)
                {
                    pending.Push(here);
                }
                else
                {
                    yield return new(here, null);
                }
            }
        }
    }

    private static FileSystemInfo? Target(FileSystemInfo entry)
    {
        try
        {
            return entry.ResolveLinkTarget(returnFinalTarget: true) is { Exists: true } target ? target : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static bool IsInside(string root, string full) =>
        full.StartsWith(root.EndsWith(Path.DirectorySeparatorChar) ? root : root + Path.DirectorySeparatorChar, StringComparison.Ordinal);

    private sealed record Candidate(string Path, FileReport? Skipped);
}
