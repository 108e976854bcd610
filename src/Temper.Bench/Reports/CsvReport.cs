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

    public const string AnalysisHeader = "table,attack,defense,against,value,low,high,p,adjusted_p,places,questions";

    /// <summary>One row for each comparison that the study makes: effects, interactions, contributions and orders, in shares.</summary>
    public static string WriteAnalysis(StudyReport report)
    {
        var csv = new StringBuilder(AnalysisHeader).Append('\n');
        void Add(string table, string attack, string defense, string against, Comparison c) => Row(csv,
        [
            table, Field(attack), Field(defense), Field(against), Number(c.Value), Number(c.Low), Number(c.High), Number(c.P), Number(c.AdjustedP),
            c.Places.ToString(CultureInfo.InvariantCulture), c.Questions.ToString(CultureInfo.InvariantCulture),
        ]);
        foreach (var e in report.Analysis.Effects)
        {
            Add("effect", e.Attack, e.Defense, StudyGrid.None, e.Success);
        }

        foreach (var i in report.Interactions)
        {
            Row(csv, ["interaction", Field(i.Attack), Field($"{i.A} + {i.B}"), "", Number(i.Value), Number(i.Low), Number(i.High), Number(i.P), Number(i.AdjustedP), "", ""]);
        }

        foreach (var c in report.Analysis.Contributions)
        {
            Add("contribution", c.Attack, c.Stack, c.Rest, c.Success);
        }

        foreach (var o in report.Analysis.Orders)
        {
            Add("order", o.Attack, o.First, o.Second, o.Success);
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
