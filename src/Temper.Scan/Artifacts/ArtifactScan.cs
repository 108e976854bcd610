using Temper.Core;
using Temper.Formats.Bytes;
using Temper.Scan.Rules;

namespace Temper.Scan.Artifacts;

/// <summary>One file under scan: what all readers of it share, above all the limits.</summary>
internal sealed class ArtifactScan(ScanOptions options, CancellationToken cancellation, CancellationToken unhurried = default, Action<long>? advance = null)
{
    private const long Step = 1 << 20;
    private long _advanced;
    private long _left = options.MaxUnpackedBytes;

    public ScanOptions Options => options;

    public CancellationToken Cancellation => cancellation;

    /// <summary>Canceled by the user only: rows take time in proportion to their bytes, so that a data set may take as long as it is large.</summary>
    public CancellationToken Unhurried => unhurried;

    /// <summary>Rows of one file that are worked on at once.</summary>
    public int RowJobs => options.RowJobs;

    /// <summary>How many bytes one member may still unpack to.</summary>
    public long Room => Math.Min(options.MaxBytes, _left);

    /// <summary>Tells how many bytes of the file are done.</summary>
    public void Advance(long bytes)
    {
        if (bytes > _advanced + Step)
        {
            _advanced = bytes;
            advance?.Invoke(bytes);
        }
    }

    public static IReadOnlyList<FileReport> File(string path, ScanOptions options, CancellationToken cancellation, Action<long>? advance = null)
    {
        try
        {
            using var bytes = ByteSource.Open(path);
            return File(path, bytes, options, cancellation, advance);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            return [FileReport.From(path, "unknown", ScanStatus.Error, [FileCards.Unreadable.At(path, "The file could not be read.", e.Message)])];
        }
    }

    /// <summary>The reports on a file that is open.</summary>
    public static IReadOnlyList<FileReport> File(string path, ByteSource bytes, ScanOptions options, CancellationToken cancellation, Action<long>? advance = null)
    {
        using var clock = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        clock.CancelAfter(options.MaxTime);
        var draft = new Draft(path, 0);
        try
        {
            new ArtifactScan(options, clock.Token, cancellation, advance).Fill(draft, bytes);
            if (bytes.HasChanged)
            {
                draft.Incomplete(FileCards.Changed, "The file was written while it was read.");
            }
        }
        catch (FileChangedException e)
        {
            draft.Incomplete(FileCards.Changed, "The file was cut short while it was read.", e.Message);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            draft.Incomplete(FileCards.Time, $"Reading took longer than {options.MaxTime.TotalSeconds:0} s and was stopped.");
        }

        return draft.Reports();
    }

    /// <summary>Counts what was unpacked against the limit of the whole file.</summary>
    public void Spend(long bytes) => _left -= bytes;

    /// <summary>The report on a member.</summary>
    public Draft Inner(string path, ByteSource bytes, int depth)
    {
        var draft = new Draft(path, depth);
        Fill(draft, bytes);
        return draft;
    }

    private void Fill(Draft draft, ByteSource bytes)
    {
        if (draft.Depth > options.MaxNesting)
        {
            draft.Incomplete(FileCards.Limit, $"Archives nest deeper than {options.MaxNesting}.");
            return;
        }

        var artifact = new Artifact(bytes, this);
        foreach (var format in ArtifactFormats.All)
        {
            cancellation.ThrowIfCancellationRequested();
            try
            {
                format(draft, artifact);
            }
            catch (Exception e) when (e is not (TemperException or OperationCanceledException or OutOfMemoryException or IOException or UnauthorizedAccessException))
            {
                draft.Incomplete(FileCards.Fault, $"The scan itself failed ({e.GetType().Name}).", e.Message);
            }

            if (draft.IsData)
            {
                // What the readers behind look for begins with bytes that no row begins with.
                return;
            }
        }
    }
}

/// <summary>The bytes to judge, with the scan they belong to.</summary>
internal sealed record Artifact(ByteSource Bytes, ArtifactScan Scan)
{
    /// <summary>Enough to tell every format.</summary>
    public ReadOnlySpan<byte> Head => Bytes.Head(512);

    public ScanOptions Options => Scan.Options;

    public CancellationToken Cancellation => Scan.Cancellation;
}
