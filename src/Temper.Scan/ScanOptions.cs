using Temper.Formats.Pickle;

namespace Temper.Scan;

/// <summary>Limits of a scan; each ends in inconclusive.</summary>
public sealed record ScanOptions
{
    /// <summary>Bytes of one file or archive member that are read.</summary>
    public long MaxBytes { get; init; } = 512L << 20;

    /// <summary>Members of one archive.</summary>
    public int MaxMembers { get; init; } = 100_000;

    /// <summary>Archives inside archives.</summary>
    public int MaxNesting { get; init; } = 3;

    /// <summary>Files of one scan.</summary>
    public int MaxFiles { get; init; } = 1_000_000;

    /// <summary>Limits of reading one pickle.</summary>
    public PickleBudget Pickle { get; init; } = new();
}
