using System.Security.Cryptography;
using Temper.Core;
using Temper.Scan.Reports;

namespace Temper.Scan.Provenance;

/// <summary>One file of a folder: its name with forward slashes, and the SHA-256 of its bytes.</summary>
public sealed record FileDigest(string Name, byte[] Sha256, long Length);

/// <summary>Digests of a folder's files, in the order of their names, several files at once.</summary>
public static class FileDigests
{
    private static readonly string[] Ignored = [".git", ".gitattributes", ".github", ".gitignore"];

    /// <summary>The names that are never part of a model.</summary>
    public static IReadOnlyList<string> AlwaysIgnored => Ignored;

    /// <summary>All files under <paramref name="folder"/> but version control and those of <paramref name="ignore"/> (full paths).</summary>
    public static IReadOnlyList<FileDigest> Compute(string folder, IReadOnlyCollection<string> ignore, CancellationToken cancellation)
    {
        var root = Path.GetFullPath(folder);
        var options = new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.None, IgnoreInaccessible = false };
        if (new DirectoryInfo(root).EnumerateFileSystemInfos("*", options).FirstOrDefault(f => f.LinkTarget is not null) is { } link)
        {
            throw new TemperException($"{Printable.Escape(link.FullName)}: found a link, expected only files and folders: a signature over a link says nothing about its target");
        }

        var files = Directory.EnumerateFiles(root, "*", options)
            .Where(f => !ignore.Contains(f) && !Path.GetRelativePath(root, f).Split(Path.DirectorySeparatorChar).Any(p => Ignored.Contains(p, StringComparer.Ordinal)))
            .Select(f => (Path: f, Name: Path.GetRelativePath(root, f).Replace(Path.DirectorySeparatorChar, '/')))
            .OrderBy(f => f.Name, StringComparer.Ordinal).ToArray();
        var digests = new FileDigest[files.Length];
        Parallel.For(0, files.Length, new() { CancellationToken = cancellation, MaxDegreeOfParallelism = Environment.ProcessorCount }, i =>
        {
            using var stream = new FileStream(files[i].Path, FileMode.Open, FileAccess.Read, FileShare.Read, 0, FileOptions.SequentialScan);
            digests[i] = new(files[i].Name, Hash(stream, cancellation), stream.Length);
        });
        return digests;
    }

    private static byte[] Hash(FileStream stream, CancellationToken cancellation)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[1 << 20];
        while (stream.Read(buffer) is > 0 and var n)
        {
            cancellation.ThrowIfCancellationRequested();
            hash.AppendData(buffer, 0, n);
        }

        return hash.GetHashAndReset();
    }
}
