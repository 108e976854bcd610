using Temper.Bench.Reports;

namespace Temper.Bench.Statistics;

/// <summary>The mean of a table in which the same questions (columns) are asked at several places (rows: model and seed). Both are samples of what could have been
/// asked and trained, so that neither more questions nor more seeds alone narrow the interval to nothing: two-way random effects (Searle, Casella and McCulloch 1992, ch. 4).</summary>
public static class CrossedMean
{
    /// <param name="table">Rows of equal length, one number a question.</param>
    public static Comparison Of(IReadOnlyList<IReadOnlyList<double>> table)
    {
        var (rows, columns) = (table.Count, table.Count == 0 ? 0 : table[0].Count);
        if (columns == 0 || table.Any(r => r.Count != columns))
        {
            throw new ArgumentException($"found rows of {string.Join(", ", table.Select(r => r.Count))} numbers, expected some of equal length", nameof(table));
        }

        double[] byRow = [.. table.Select(r => r.Average())];
        double[] byColumn = [.. Enumerable.Range(0, columns).Select(c => table.Average(r => r[c]))];
        var mean = byRow.Average();
        var (variance, degrees) = rows == 1 ? (Squares(byColumn, mean) / (columns - 1.0) / columns, columns - 1.0)
            : columns == 1 ? (Squares(byRow, mean) / (rows - 1.0) / rows, rows - 1.0)
            : Both(table, byRow, byColumn, mean);
        // a difference of less than one question is none, even where all answers happen to be the same
        var (error, least) = (columns == 1 && rows == 1 ? 1 : Math.Sqrt(variance), 1.0 / columns);
        (error, degrees) = error > least ? (error, Math.Max(1, degrees)) : (least, Math.Max(1, columns - 1));
        var half = StudentT.Critical(0.05, degrees) * error;
        return new(mean, mean - half, mean + half, StudentT.TwoSided(mean / error, degrees), rows, columns);
    }

    private static (double Variance, double Degrees) Both(IReadOnlyList<IReadOnlyList<double>> table, double[] byRow, double[] byColumn, double mean)
    {
        double rows = byRow.Length, columns = byColumn.Length;
        var ofRows = columns * Squares(byRow, mean) / (rows - 1);
        var ofColumns = rows * Squares(byColumn, mean) / (columns - 1);
        var residual = table.Select((row, r) => row.Select((x, c) => Math.Pow(x - byRow[r] - byColumn[c] + mean, 2)).Sum()).Sum() / ((rows - 1) * (columns - 1));
        // components below zero are zero
        var (fromRows, fromColumns) = (Math.Max(ofRows, residual), Math.Max(ofColumns, residual));
        var total = fromRows + fromColumns - residual;
        // Satterthwaite 1946
        var degrees = (total * total) / ((fromRows * fromRows / (rows - 1)) + (fromColumns * fromColumns / (columns - 1)) + (residual * residual / ((rows - 1) * (columns - 1))));
        return (total / (rows * columns), double.IsNaN(degrees) ? rows - 1 : degrees);
    }

    private static double Squares(double[] values, double mean) => values.Sum(v => (v - mean) * (v - mean));
}
