using System.Globalization;
using System.Text;
using Temper.Core;

namespace Temper.Bench.Reports;

/// <summary>How numbers and foreign text are spelled, the same in every report and every culture.</summary>
internal static class ReportText
{
    public const string Dash = "–";

    public static string Percent(double? value) => value is { } v && double.IsFinite(v) ? Number(v * 100, "0.0") + " %" : Dash;

    public static string Interval(double? low, double? high) =>
        low is { } l && high is { } h ? $"[{Number(l * 100, "0.0")}, {Number(h * 100, "0.0")}]" : "no interval";

    public static string Full(Estimate e) => e.Value is null ? $"{Dash} ({e.Reason})" : $"{Percent(e.Value)} {Interval(e.Low, e.High)}, n = {Number(e.N, "0")}";

    // Adding zero turns -0 into 0, which otherwise differs between runs that differ in nothing.
    public static string Number(double value, string format) => (Math.Round(value, 6) + 0.0).ToString(format, CultureInfo.InvariantCulture);

    public static string Words(Phase? phase) => phase switch
    {
        Phase.PreTuning => "Pre-tuning",
        Phase.DuringTuning => "During tuning",
        Phase.PostTuning => "Post-tuning",
        _ => "Several phases",
    };

    public static string PhaseOf(GridDefense defense) => defense.IsNone ? "Undefended" : Words(defense.Phase);

    /// <summary>Characters that hide or reorder what stands beside them are spelled out, so that nobody reads what is not there.</summary>
    public static string Visible(string? text)
    {
        var result = new StringBuilder();
        foreach (var rune in (text ?? "").Replace("\r\n", "\n", StringComparison.Ordinal).EnumerateRunes())
        {
            var hidden = Rune.GetUnicodeCategory(rune) switch
            {
                UnicodeCategory.Control => rune.Value is not ('\n' or '\t'),
                UnicodeCategory.Format => rune.Value is not (0x200C or 0x200D), // joiners belong to scripts and emoji
                UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator => true,
                _ => false,
            };
            _ = hidden ? result.Append("\\u{").Append(rune.Value.ToString("X4", CultureInfo.InvariantCulture)).Append('}') : result.Append(rune);
        }

        return result.ToString();
    }
}
