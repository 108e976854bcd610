using Temper.Formats.Data;
using Temper.Scan.Rules;

namespace Temper.Scan.Data;

/// <summary>What a rule found in a row.</summary>
internal readonly record struct RowFinding(Rule Rule, string Field, string Message, string Evidence, Severity Severity)
{
    public static RowFinding Of(Rule rule, DataField field, string message, string evidence = "", Severity? severity = null) =>
        new(rule, field.Name, message, evidence, severity ?? rule.Severity);
}

/// <summary>A rule that looks at one row at a time; any number of threads at once.</summary>
internal interface IRowRule
{
    IEnumerable<RowFinding> Find(DataRow row);
}

/// <summary>Places in text.</summary>
internal static class Excerpt
{
    private const int Around = 60;

    /// <summary>The text around a place, on one line.</summary>
    public static string At(string text, int at, int length = 0)
    {
        var (start, end) = (Math.Max(0, at - Around), Math.Min(text.Length, at + length + Around));
        return $"{(start > 0 ? "…" : "")}{text[start..end].ReplaceLineEndings(" ")}{(end < text.Length ? "…" : "")}";
    }
}
