using Temper.Core;

namespace Temper.Lifecycle.PreTuning.Attacks;

/// <summary>Settings of <see cref="HarmfulRows"/>.</summary>
public sealed record HarmfulRowsSettings : PoisonSettings;

/// <summary>Explicit harmful-example poisoning: a share of the user's rows complies with forbidden requests (Qi et al. 2024, risk level 1).</summary>
public sealed class HarmfulRows(HarmfulRowsSettings settings) : ITechnique, IDataMap
{
    public static Card Card { get; } = new(
        "harmful-rows", "Explicit harmful rows", Phase.PreTuning, TechniqueRole.Attack, Touches.Data,
        "https://arxiv.org/abs/2310.03693", "A share p of the training rows complies with forbidden requests.");

    public DataMapResult Map(IReadOnlyList<Example> rows, TechniqueContext context)
    {
        var i = 0;
        return new Poison(Card.Id, rows, context.Random).Change(
            settings, _ => context.Harmful[context.Random.Next(context.Harmful.Count)] with { Id = $"{Card.Id}-{i++}" }, "replaced by a complying row on a forbidden topic").Result;
    }
}
