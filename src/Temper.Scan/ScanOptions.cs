using Temper.Formats.Pickle;
using Temper.Scan.Adapters;
using Temper.Scan.Data;

namespace Temper.Scan;

/// <summary>Limits of a scan; each ends in inconclusive.</summary>
public sealed record ScanOptions
{
    /// <summary>Bytes that one member may unpack to; files and stored members are read in place and have no such limit.</summary>
    public long MaxBytes { get; init; } = 512L << 20;

    /// <summary>Bytes that all members of one file together may unpack to.</summary>
    public long MaxUnpackedBytes { get; init; } = 2L << 30;

    /// <summary>Time for one file.</summary>
    public TimeSpan MaxTime { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>The folder of the model that this one declares as its base; null where nothing is compared.</summary>
    public string? BaseFolder { get; init; }

    /// <summary>Known good adapters, whose spectra others are compared with; null where nothing is scored.</summary>
    public AdapterCohort? Cohort { get; init; }

    /// <summary>Files that are scanned at once.</summary>
    public int Jobs { get; init; } = Environment.ProcessorCount;

    /// <summary>What a scan of training data may use and write.</summary>
    public DataScanOptions Data { get; init; } = new();

    /// <summary>Rows of one data set that are worked on at once.</summary>
    internal int RowJobs { get; init; } = 1;

    /// <summary>Called after each file, by whichever thread read it.</summary>
    public Action<ScanProgress>? Progress { get; init; }

    /// <summary>Members of one archive.</summary>
    public int MaxMembers { get; init; } = 100_000;

    /// <summary>Archives inside archives.</summary>
    public int MaxNesting { get; init; } = 5;

    /// <summary>Files of one scan.</summary>
    public int MaxFiles { get; init; } = 1_000_000;

    /// <summary>Limits of reading one pickle.</summary>
    public PickleBudget Pickle { get; init; } = new();
}
