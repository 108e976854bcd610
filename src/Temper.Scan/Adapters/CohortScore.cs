using System.Globalization;

namespace Temper.Scan.Adapters;

/// <summary>How far an adapter lies from known good ones.</summary>
/// <param name="N">Members that it could be compared with.</param>
/// <param name="Of">Members of the cohort.</param>
/// <param name="Deviations">The z-score of each feature; empty where too few members compare.</param>
/// <param name="Score">The largest z-score.</param>
/// <param name="P">The share of scores, its own included, that are at least as large.</param>
/// <param name="Outlier">The verdict; null where too few members compare.</param>
public sealed record CohortScore(int N, int Of, IReadOnlyList<FeatureDeviation> Deviations, double? Score, double? P, bool? Outlier)
{
    /// <summary>The feature that is farthest off.</summary>
    public string Feature => Deviations.MaxBy(d => Math.Abs(d.Z))?.Feature ?? "";

    /// <summary>One sentence.</summary>
    public override string ToString()
    {
        if (Score is null)
        {
            return $"Not scored: {N} of the cohort's {Of} adapters have this base and these modules, expected at least {AdapterCohort.LeastForScore}.";
        }

        var verdict = Outlier switch { null => $"no verdict below n = {AdapterCohort.LeastForVerdict}", true => "an outlier", false => "no outlier" };
        return string.Create(CultureInfo.InvariantCulture, $"Among n = {N} known good adapters with this base and these modules its score is {Score:0.0} ({Feature}), p = {P:0.###}: {verdict}.");
    }
}

/// <summary>One feature, in standard deviations of the cohort.</summary>
public sealed record FeatureDeviation(string Feature, double Z);
