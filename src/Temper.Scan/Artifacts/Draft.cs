using Temper.Scan.Rules;

namespace Temper.Scan.Artifacts;

/// <summary>The report on one file or member while it is being made.</summary>
internal sealed class Draft(string path, int depth)
{
    private const int MaxFindings = 1000;
    private readonly List<Finding> _findings = [];
    private readonly List<FileReport> _members = [];
    private readonly List<string> _formats = [];

    public string Path => path;

    public int Depth => depth;

    public ScanStatus Status { get; private set; }

    public Verdict Floor { get; private set; }

    /// <summary>The storages that a pickle of torch expects beside itself.</summary>
    public IReadOnlyList<Formats.Pickle.PickleStorage> Storages { get; set; } = [];

    /// <summary>Whether the file was read as rows of training data, so that no other reader needs to unpack it.</summary>
    public bool IsData { get; set; }

    /// <summary>The picture of a data set.</summary>
    public Data.DataProfile? Profile { get; set; }

    public IReadOnlyList<string> Formats => _formats;

    public IReadOnlyList<Finding> Findings => _findings;

    public void Format(string name) => _formats.Add(name);

    public void Add(Finding finding)
    {
        if (_findings.Count < MaxFindings)
        {
            _findings.Add(finding);
        }
    }

    public void AddRange(IEnumerable<Finding> findings)
    {
        foreach (var finding in findings)
        {
            Add(finding);
        }
    }

    public void Add(Rule rule, string message, string evidence = "", Severity? severity = null) => Add(rule.At(path, message, evidence, severity));

    public void AddAt(Rule rule, long offset, string message, string evidence = "", Severity? severity = null) =>
        Add(rule.At($"{path}@{offset}", message, evidence, severity));

    /// <summary>A finding that also says that not everything was read.</summary>
    public void Incomplete(Rule rule, string message, string evidence = "")
    {
        Add(rule, message, evidence);
        Incomplete();
    }

    public void Incomplete() => Status = ScanStatus.Inconclusive;

    /// <summary>Something was not judged, so that the file cannot be clean.</summary>
    public void Unjudged() => Floor = Verdicts.Worst(Floor, Verdict.Unknown);

    /// <summary>Takes the reports on a member; its verdict and status become this file's, if worse.</summary>
    public void Member(Draft member)
    {
        var reports = member.Reports();
        foreach (var report in reports)
        {
            Floor = Verdicts.Worst(Floor, report.Verdict);
            Status = report.Status > Status ? report.Status : Status;
        }

        _members.AddRange(reports);
    }

    /// <summary>This file's report, then those of its members.</summary>
    public IReadOnlyList<FileReport> Reports() =>
        [FileReport.From(path, _formats.Count == 0 ? "unknown" : string.Join('+', _formats), Status, _findings, Floor) with { Data = Profile }, .. _members];

    /// <summary>Makes every finding at most low: what lies here is carried, but nothing runs it.</summary>
    public Draft Carried()
    {
        var calm = new Draft(path, depth) { Status = Status };
        calm._formats.AddRange(_formats);
        calm._findings.AddRange(_findings.Select(Calm));
        calm.Floor = Floor > Verdict.Unknown ? Verdict.Unknown : Floor;
        calm._members.AddRange(_members.Select(m => FileReport.From(m.Path, m.Format, m.Status, [.. m.Findings.Select(Calm)])));
        return calm;
    }

    private static Finding Calm(Finding f) => f.Severity > Severity.Low ? f with { Severity = Severity.Low, Message = f.Message + " (nothing here runs it)" } : f;
}
