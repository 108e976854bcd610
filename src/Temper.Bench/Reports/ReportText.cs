using Temper.Core;

namespace Temper.Bench.Reports;

/// <summary>How estimates and phases are spelled, the same in every report.</summary>
internal static class ReportText
{
    public const string Dash = "–";

    public static string Percent(double? value) => value is { } v && double.IsFinite(v) ? PageText.Number(v * 100, "0.0") + " %" : Dash;

    public static string Interval(double? low, double? high) =>
        low is { } l && high is { } h ? $"[{PageText.Number(l * 100, "0.0")}, {PageText.Number(h * 100, "0.0")}]" : "no interval";

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
