using System.Globalization;
using System.Text;

namespace Temper.Bench.Reports;

/// <summary>One row a cell and metric; a failed cell keeps one row with its reason. Values not measured are empty.</summary>
public static class CsvReport
{
    public const string Header =
        "cell,model,attack,attack_phase,defense,defense_phase,seed,status,metric,value,n,low,high,direction,reason";

    public static string Write(StudyReport report)
    {
        var csv = new StringBuilder(Header).Append('\n');
        foreach (var cell in StudyGrid.InOrder(report.Cells))
        {
            string[] place =
            [
                Field(cell.Id), Field(cell.Model), Field(cell.Attack), cell.AttackPhase.ToString(), Field(cell.Defense), cell.DefensePhase?.ToString() ?? "",
                cell.Seed.ToString(CultureInfo.InvariantCulture), Field(cell.Status),
            ];
            if (cell.Metrics.Count == 0)
            {
                Row(csv, [.. place, "", "", "", "", "", "", Field(cell.Reason)]);
            }

            foreach (var m in cell.Metrics)
            {
                Row(csv, [.. place, Field(m.Name), Number(m.Value), m.Value is null ? "" : m.N.ToString(CultureInfo.InvariantCulture), Number(m.Low),
                    Number(m.High), m.Direction.ToString(), Field(m.Reason ?? cell.Reason)]);
            }
        }

        return csv.ToString();
    }

    /// <summary>Quotes as in RFC 4180, and keeps a spreadsheet from running what a file or a model said.</summary>
    private static string Field(string? text)
    {
        var safe = PageText.Visible(text);
        if (safe.TrimStart() is [var first, ..] && first is '=' or '+' or '-' or '@' or '＝' or '＋' or '－' or '＠' || safe is ['\t' or '\n', ..])
        {
            safe = "'" + safe;
        }

        return safe.AsSpan().IndexOfAny(",\"\n\t;") >= 0 || safe != safe.Trim() ? "\"" + safe.Replace("\"", "\"\"", StringComparison.Ordinal) + "\"" : safe;
    }

    private static string Number(double? value) => value is { } v && double.IsFinite(v) ? v.ToString("R", CultureInfo.InvariantCulture) : "";

    private static void Row(StringBuilder csv, IReadOnlyList<string> fields) => csv.AppendJoin(',', fields).Append('\n');
}
