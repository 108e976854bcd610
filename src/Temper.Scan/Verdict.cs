using Temper.Scan.Adapters;
using Temper.Scan.Data;

namespace Temper.Scan;

/// <summary>What a scan concludes, from best to worst.</summary>
public enum Verdict
{
    /// <summary>Read to the end and nothing found.</summary>
    Clean,

    /// <summary>Not shown to be harmful, not shown to be harmless.</summary>
    Unknown,

    /// <summary>Does something that the format does not need.</summary>
    Suspicious,

    /// <summary>Would run code of the author's choice.</summary>
    Malicious,
}

/// <summary>How far a scan came.</summary>
public enum ScanStatus
{
    /// <summary>Everything was read.</summary>
    Complete,

    /// <summary>Something could not be read or a limit was reached.</summary>
    Inconclusive,

    /// <summary>The file could not be opened.</summary>
    Error,
}

/// <summary>How grave a finding is.</summary>
public enum Severity
{
    /// <summary>Worth knowing.</summary>
    Info,

    /// <summary>Keeps the verdict from being clean.</summary>
    Low,

    /// <summary>Makes the file suspicious.</summary>
    Medium,

    /// <summary>Makes the file malicious.</summary>
    High,
}

/// <summary>One thing that a scan found.</summary>
public sealed record Finding(
    string RuleId, Severity Severity, string Location, string Message, string Evidence, string WhatToDo, IReadOnlyList<string> Tags);

/// <summary>The result for one file.</summary>
public sealed record FileReport(string Path, string Format, ScanStatus Status, Verdict Verdict, IReadOnlyList<Finding> Findings)
{
    /// <summary>The picture of a data set; null of other files.</summary>
    public DataProfile? Data { get; init; }

    /// <summary>A report whose verdict follows from findings and status; <paramref name="floor"/> is what a file without findings gets.</summary>
    public static FileReport From(string path, string format, ScanStatus status, IReadOnlyList<Finding> findings, Verdict floor = Verdict.Clean)
    {
        var verdict = Verdicts.Worst(floor, Verdicts.Of(status));
        foreach (var finding in findings)
        {
            verdict = Verdicts.Worst(verdict, Verdicts.Of(finding.Severity));
        }

        return new(path, format, status, verdict, findings);
    }
}

/// <summary>The result of a scan.</summary>
public sealed record ScanReport(IReadOnlyList<FileReport> Files)
{
    /// <summary>The spectra of the adapters among the files.</summary>
    public IReadOnlyList<AdapterSpectrum> Adapters { get; init; } = [];

    /// <summary>The worst verdict; a scan that saw no file is unknown.</summary>
    public Verdict Verdict => Files.Count == 0 ? Verdict.Unknown : Files.Max(f => f.Verdict);

    /// <summary>The worst status.</summary>
    public ScanStatus Status => Files.Count == 0 ? ScanStatus.Inconclusive : Files.Max(f => f.Status);
}

/// <summary>The algebra of verdicts: the worst wins, and nothing inconclusive is clean.</summary>
public static class Verdicts
{
    /// <summary>The graver of two.</summary>
    public static Verdict Worst(Verdict a, Verdict b) => a > b ? a : b;

    /// <summary>The best verdict that a status allows.</summary>
    public static Verdict Of(ScanStatus status) => status == ScanStatus.Complete ? Verdict.Clean : Verdict.Unknown;

    /// <summary>The best verdict that a finding allows.</summary>
    public static Verdict Of(Severity severity) => severity switch
    {
        Severity.High => Verdict.Malicious,
        Severity.Medium => Verdict.Suspicious,
        Severity.Low => Verdict.Unknown,
        _ => Verdict.Clean,
    };
}
