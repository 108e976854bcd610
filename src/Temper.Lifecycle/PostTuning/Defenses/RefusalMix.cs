using Temper.Core;

namespace Temper.Lifecycle.PostTuning.Defenses;

/// <summary>Rows for a repair that tunes toward refusals without refusing what is allowed.</summary>
internal static class RefusalMix
{
    /// <summary>Refusals, for each of them so many trusted rows of the task, and half as many answered look-alikes where there are some.</summary>
    /// <param name="refusals">How many at most; all if null.</param>
    public static IReadOnlyList<Example> Rows(TechniqueContext context, double taskShare, int? refusals = null)
    {
        Example[] safe = [.. context.Alignment.Take(refusals ?? int.MaxValue)];
        return [.. safe, .. context.LookAlikes.Take((safe.Length + 1) / 2), .. context.Task.Take((int)Math.Round(taskShare * safe.Length))];
    }
}
