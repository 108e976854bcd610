using Temper.Core;

namespace Temper.Bench.Reports;

/// <summary>How estimates and phases are spelled, the same in every report.</summary>
internal static class ReportText
{
    public const string Dash = "–";

    public static string Percent(double? value) => value is { } v && double.IsFinite(v) ? PageText.Number(v * 100, "0.0") + " %" : Dash;

    public static string Interval(double? low, double? high) =>
        low is { } l && high is { } h ? $"[{PageText.Number(l * 100, "0.0")}, {PageText.Number(h * 100, "0.0")}]" : "no interval";

    /// <summary>The value of a metric, a share in percent and anything else in its unit.</summary>
    public static string Value(Estimate e) => e.Unit is null ? Percent(e.Value) : e.Value is { } v && double.IsFinite(v) ? $"{PageText.Number(v, "0.###")} {e.Unit}".TrimEnd() : Dash;

    public static string Interval(Estimate e) => e.Unit is null ? Interval(e.Low, e.High)
        : e is { Low: { } low, High: { } high } ? $"[{PageText.Number(low, "0.###")}, {PageText.Number(high, "0.###")}]" : "no interval";

    /// <summary>The seconds of the run; a dash where a report was written without one.</summary>
    public static string Wall(TimingSection timing) => timing.WallSeconds > 0 ? PageText.Number(timing.WallSeconds, "0.0") : Dash;

    public static string Full(Estimate e) => e.Value is null ? $"{Dash} ({e.Reason})" : $"{Percent(e.Value)} {Interval(e.Low, e.High)}, n = {PageText.Number(e.N, "0")}";

    public static string Words(Phase? phase) => phase switch
    {
        Phase.PreTuning => "Pre-tuning",
        Phase.DuringTuning => "During tuning",
        Phase.PostTuning => "Post-tuning",
        _ => "Several phases",
    };

    public static string PhaseOf(GridDefense defense) => defense.IsNone ? "Undefended" : Words(defense.Phase);
}
