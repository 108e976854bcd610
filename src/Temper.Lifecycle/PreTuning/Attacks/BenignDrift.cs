using Temper.Core;
using Temper.Lifecycle.Evaluation;

namespace Temper.Lifecycle.PreTuning.Attacks;

/// <summary>Settings of <see cref="BenignDrift"/>: none.</summary>
public sealed record BenignDriftSettings;

/// <summary>Benign drift (Qi et al. 2024, risk level 3): no attacker and no harmful row, only rows that say nothing of safety. What every
/// other attack must be compared with; the drift grows with the learning rate and with smaller batches.</summary>
public sealed class BenignDrift : ITechnique, IDataMap
{
    public static Card Card { get; } = new(
        "benign-drift", "Benign drift", Phase.PreTuning, TechniqueRole.Attack, Touches.Data,
        "https://arxiv.org/abs/2310.03693", "Tunes on benign rows alone, those with a refusal removed.");

    public DataMapResult Map(IReadOnlyList<Example> rows, TechniqueContext context)
    {
        var refusals = rows.ToLookup(r => RefusalKeywords.Match(r.Response));
        return new([.. refusals[false]], [.. refusals[true].Select(r => new RowChange(r.Id, RowFate.Dropped, $"a refusal ({RefusalKeywords.Version})"))]);
    }
}
