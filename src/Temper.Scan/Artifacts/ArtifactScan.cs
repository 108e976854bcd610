using System.IO.Compression;
using System.Text.RegularExpressions;
using Temper.Core;
using Temper.Formats.Pickle;
using Temper.Formats.SafeTensors;

namespace Temper.Scan.Artifacts;

/// <summary>Scans one file or archive member, and what lies inside it.</summary>
internal sealed partial class ArtifactScan(ScanOptions options, CancellationToken cancellation)
{
    private const int PeekBytes = 1 << 16;
    private static readonly string[] Tags = ["CWE-502"];

    private long _left = options.MaxBytes * 2;

    // A member that is neither a known format nor a raw storage was not judged, so the archive cannot be clean.
    private bool _unjudged;

    public FileReport File(string path)
    {
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            var bytes = ReadUpTo(stream, options.MaxBytes, out var cut);
            return Bytes(path, bytes, cut, 0)[0];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            return FileReport.From(path, "unknown", ScanStatus.Error,
                [new("file.unreadable", Severity.Low, path, "The file could not be read.", e.Message, "Check that it exists and may be read.", [])]);
        }
    }

    private List<FileReport> Bytes(string path, byte[] data, bool cut, int depth)
    {
        var findings = new List<Finding>();
        var status = cut ? ScanStatus.Inconclusive : ScanStatus.Complete;
        if (cut)
        {
            findings.Add(Limit(path, $"Only the first {data.Length} bytes were read."));
        }

        var start = Junk(data);
        var body = data.AsSpan(start);
        var trace = PickleReader.Read(body, options.Pickle, cancellation);
        var isPickle = data.Length > 0 && ArtifactFormat.IsPickle(body, trace);
        string? format = null;
        if (isPickle && !(ArtifactFormat.IsSafeTensors(data) && trace.Events.Count == 0))
        {
            format = "pickle";
            findings.AddRange(PickleRules.Judge(trace, path));
            if (start > 0)
            {
                findings.Add(new("pickle.leading", Severity.Medium, path, $"{start} bytes stand before the pickle.", "", "Do not load.", Tags));
            }

            status = trace.End == PickleEnd.Stop && trace.FrameMismatch is null ? status : ScanStatus.Inconclusive;
        }

        var reports = new List<FileReport>();
        if (ArtifactFormat.IsZip(data) && Zip(path, data, depth, findings, reports, ref status) is { } zip)
        {
            format = format is null ? zip : $"{format}+{zip}";
        }

        var floor = format is null || _unjudged ? Verdict.Unknown : Verdict.Clean;
        if (format is null && ArtifactFormat.Container(data) is { } container)
        {
            format = container;
            status = ScanStatus.Inconclusive;
            findings.Add(new("container.unopened", Severity.Low, path, $"A {container} file is not opened by this scan.", container,
                "Unpack it in a safe place and scan what is inside.", []));
        }

        format ??= data.AsSpan().StartsWith("GGUF"u8) ? "gguf" : ArtifactFormat.IsSafeTensors(data) ? "safetensors" : "unknown";
        if (format == "safetensors" && depth == 0)
        {
            floor = Structure(path, findings, ref status);
        }

        foreach (var inner in reports)
        {
            findings.AddRange(inner.Findings);
            floor = Verdicts.Worst(floor, inner.Verdict);
            status = inner.Status > status ? inner.Status : status;
        }

        return [FileReport.From(path, format, status, findings, floor)];
    }

    /// <summary>A safetensors file holds numbers only: with its structure in order there is nothing in it that a loader could run.</summary>
    private static Verdict Structure(string path, List<Finding> findings, ref ScanStatus status)
    {
        try
        {
            SafeTensorsFile.Open(path).Dispose();
            return Verdict.Clean;
        }
        catch (TemperException e)
        {
            status = ScanStatus.Inconclusive;
            findings.Add(new("safetensors.structure", Severity.Medium, path, "The table of tensors does not describe the file.", e.Message,
                "Do not load; get the file again from its author.", ["CWE-20"]));
            return Verdict.Unknown;
        }
    }

    private string? Zip(string path, byte[] data, int depth, List<Finding> findings, List<FileReport> inner, ref ScanStatus status)
    {
        var isTorch = false;
        try
        {
            using var archive = new ZipArchive(new MemoryStream(data, writable: false), ZipArchiveMode.Read);
            var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
            var members = 0;
            foreach (var entry in archive.Entries)
            {
                cancellation.ThrowIfCancellationRequested();
                isTorch |= entry.Name == "data.pkl";
                if (++members > options.MaxMembers || depth >= options.MaxNesting)
                {
                    status = ScanStatus.Inconclusive;
                    findings.Add(Limit(path, depth >= options.MaxNesting ? "Archives nest too deep." : "Too many members."));
                    break;
                }

                if (!names.Add(entry.FullName) || entry.FullName.Contains("..", StringComparison.Ordinal) || entry.FullName.StartsWith('/'))
                {
                    findings.Add(new("zip.name", Severity.Medium, $"{path}!{entry.FullName}", "A member's name is doubled or leaves the archive.",
                        entry.FullName, "Do not load; readers disagree about such an archive.", ["CWE-22"]));
                }

                Member(path, entry, depth, findings, inner, ref status);
            }
        }
        catch (Exception e) when (e is InvalidDataException or IOException or NotSupportedException or ArgumentException or OverflowException)
        {
            // A tail that only looks like a zip is none; a file that begins as one and cannot be opened is a finding.
            if (!data.AsSpan().StartsWith("PK"u8))
            {
                return null;
            }

            Unreadable(path, e, findings, ref status);
        }

        return isTorch ? "torch-zip" : "zip";
    }

    private void Member(string path, ZipArchiveEntry entry, int depth, List<Finding> findings, List<FileReport> inner, ref ScanStatus status)
    {
        if (entry.FullName.EndsWith('/'))
        {
            return;
        }

        var name = $"{path}!{entry.FullName}";
        try
        {
            var whole = entry.Name.EndsWith(".pkl", StringComparison.OrdinalIgnoreCase);
            using var stream = entry.Open();
            var head = ReadUpTo(stream, PeekBytes, out var more);
            var format = Peek(head, whole);
            if (!format)
            {
                _unjudged |= !TorchStorage().IsMatch(entry.FullName);
                return;
            }

            if (more)
            {
                var rest = ReadUpTo(stream, Math.Min(options.MaxBytes, _left), out more);
                head = [.. head, .. rest];
                _left -= rest.Length;
            }

            inner.AddRange(Bytes(name, head, more, depth + 1));
        }
        catch (Exception e) when (e is InvalidDataException or IOException or NotSupportedException)
        {
            Unreadable(name, e, findings, ref status);
        }
    }

    private bool Peek(byte[] head, bool whole) =>
        whole || ArtifactFormat.IsZip(head) || ArtifactFormat.Container(head) is not (null or "zlib" or "npy")
        || (PickleReader.Read(head.AsSpan(Junk(head)), options.Pickle, cancellation) is var trace
            && trace.Events.Count > 0 && ArtifactFormat.IsPickle(head.AsSpan(Junk(head)), trace));

    private static int Junk(ReadOnlySpan<byte> data)
    {
        var start = data.StartsWith((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF]) ? 3 : 0;
        while (start < Math.Min(data.Length, 64) && data[start] is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t')
        {
            start++;
        }

        return start < data.Length && data[start] == 0x80 ? start : 0;
    }

    private static byte[] ReadUpTo(Stream stream, long limit, out bool more)
    {
        using var buffer = new MemoryStream();
        var chunk = new byte[1 << 16];
        more = false;
        while (true)
        {
            var n = stream.Read(chunk, 0, (int)Math.Min(chunk.Length, limit - buffer.Length + 1));
            if (n == 0)
            {
                return buffer.ToArray();
            }

            buffer.Write(chunk, 0, n);
            if (buffer.Length > limit)
            {
                more = true;
                return buffer.ToArray();
            }
        }
    }

    [GeneratedRegex(@"^[^/]+/(data/\d+|version|byteorder|\.format_version|\.storage_alignment|\.data/serialization_id)$", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex TorchStorage();

    private static Finding Limit(string path, string message) =>
        new("scan.limit", Severity.Low, path, message, "", "Raise the limit, or do not load what was not read.", ["CWE-400"]);

    private static void Unreadable(string path, Exception e, List<Finding> findings, ref ScanStatus status)
    {
        status = ScanStatus.Inconclusive;
        findings.Add(new("zip.unreadable", Severity.Low, path, "The archive or member could not be read; a loader may still read it.", e.Message,
            "Do not load; get the file again from its author.", []));
    }
}
