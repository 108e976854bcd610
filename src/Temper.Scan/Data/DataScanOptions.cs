namespace Temper.Scan.Data;

/// <summary>What a scan of training data may use and write.</summary>
public sealed record DataScanOptions
{
    /// <summary>A data set whose rows are known to be clean: what goes with an answer there too is natural.</summary>
    public string? Trusted { get; init; }

    /// <summary>Files of rows that the model will be scored on.</summary>
    public IReadOnlyList<string> Evaluation { get; init; } = [];

    /// <summary>Where the rows that are kept go; beside it <c>.dropped.jsonl</c> with the others and why.</summary>
    public string? WriteClean { get; init; }

    /// <summary>The least severity that drops a row from the clean file.</summary>
    public Severity DropFrom { get; init; } = Severity.Medium;

    /// <summary>Takes text files for data sets, a line a row.</summary>
    public bool AnyText { get; init; }

    /// <summary>Looks at single rows only: no duplicates, no triggers.</summary>
    public bool RulesOnly { get; init; }

    internal Sample? TrustedSample { get; private init; }

    internal EvaluationRows? EvaluationRuns { get; private init; }

    /// <summary>With the files that it names read, so that a mistake in their names is told before anything is scanned.</summary>
    internal DataScanOptions Loaded(CancellationToken cancellation)
    {
        if (Trusted is null)
        {
            return this with { EvaluationRuns = EvaluationRows.Read(Evaluation, cancellation) };
        }

        var view = new DataSetView(this);
        foreach (var row in EvaluationRows.Rows(Trusted, "--trusted", cancellation))
        {
            view.Add(row, RowView.Of(row));
        }

        return this with { TrustedSample = view.Sample, EvaluationRuns = EvaluationRows.Read(Evaluation, cancellation) };
    }

    /// <summary>The seed of what is sampled from files that are too large to keep.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>Rows kept for the statistics of triggers.</summary>
    public int SampleRows { get; init; } = 100_000;
}
