using Temper.Formats.Data;

namespace Temper.Scan.Data;

/// <summary>The gravest finding of a row.</summary>
public sealed record RowVerdict(Severity Severity, string RuleId, string Why);

/// <summary>The pass over training data without a model, for rows that are in memory.</summary>
public static class RowGate
{
    /// <summary>The gravest finding of each row, null where there is none; what <paramref name="trusted"/> rows do too is natural.</summary>
    public static IReadOnlyList<RowVerdict?> Judge(IReadOnlyList<DataRow> rows, IReadOnlyList<DataRow> trusted, CancellationToken cancellation)
    {
        var (view, known) = (new DataSetView(new()), new DataSetView(new()));
        foreach (var (all, into) in ((IReadOnlyList<DataRow>, DataSetView)[])[(rows, view), (trusted, known)])
        {
            foreach (var row in all)
            {
                into.Add(row, RowView.Of(row));
            }
        }

        var model = DataModel.Of(view.Sample, trusted.Count > 0 ? known.Sample : null, cancellation);
        return [.. rows.Select(row => DataScan.Find(row, model, evaluation: null, isTable: false)).Select(found => found.Count == 0 ? null : Verdict(found.MaxBy(f => f.Severity)))];
    }

    private static RowVerdict Verdict(RowFinding finding) => new(finding.Severity, finding.Rule.Id, finding.Message);
}
