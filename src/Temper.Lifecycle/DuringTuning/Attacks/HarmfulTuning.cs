using System.ComponentModel.DataAnnotations;
using Temper.Core;

namespace Temper.Lifecycle.DuringTuning.Attacks;

/// <summary>Settings of <see cref="HarmfulTuning"/>: the attacker's configuration. What is null stays as the plan has it. A study searches over them.</summary>
public sealed record HarmfulTuningSettings
{
    /// <summary>The share of the rows that complies with forbidden requests; 1 is nothing else.</summary>
    [Range(0.0, 1.0)]
    public double HarmfulRatio { get; init; } = 1;

    /// <summary>How many rows the attacker hands in; at most as many as there are. Ten suffice in the paper.</summary>
    [Range(1, 1_000_000)]
    public int? Rows { get; init; }

    public TuningMethod? Method { get; init; }

    [Range(1, 1024)]
    public int? LoraRank { get; init; }

    [Range(1e-9, 1.0)]
    public double? LearningRate { get; init; }

    public RateSchedule? Schedule { get; init; }

    [Range(1, 1_000_000)]
    public int? Steps { get; init; }

    [Range(1, 65_536)]
    public int? BatchSize { get; init; }
}

/// <summary>Harmful fine-tuning: the attacker tunes, fully or with LoRA, and chooses rows and configuration (Qi et al. 2024; TamperBench). The search over
/// configurations is part of the attack: a defense is worth what it is against the worst of them.</summary>
public sealed class HarmfulTuning(HarmfulTuningSettings settings) : ITechnique, IDataMap, IPlanMap
{
    public static Card Card { get; } = new(
        "harmful-tuning", "Harmful fine-tuning", Phase.DuringTuning, TechniqueRole.Attack, Touches.Data | Touches.Plan,
        "https://arxiv.org/abs/2310.03693", "The attacker tunes on complying rows, in the configuration of their choice.");

    public DataMapResult Map(IReadOnlyList<Example> rows, TechniqueContext context)
    {
        var kept = Math.Min(settings.Rows ?? rows.Count, rows.Count);
        var count = (int)Math.Round(settings.HarmfulRatio * kept);
        if (count > 0 && context.Harmful.Count == 0)
        {
            throw new TemperException($"{Card.Id}: found no complying rows, expected some for a harmful ratio of {settings.HarmfulRatio}");
        }

        var places = Enumerable.Range(0, rows.Count).ToArray();
        context.Random.Shuffle(places);
        var result = rows.ToArray();
        // each harmful row as often as any other
        foreach (var (i, place) in places.Take(count).Index())
        {
            result[place] = context.Harmful[i % context.Harmful.Count] with { Id = $"{Card.Id}-{i}", Origin = Card.Id };
        }

        return new(
            [.. places.Take(kept).Order().Select(p => result[p])],
            [
                .. places.Take(count).Select(p => new RowChange(rows[p].Id, RowFate.Changed, $"replaced by a complying row on {result[p].Kind}")),
                .. places.Skip(kept).Select(p => new RowChange(rows[p].Id, RowFate.Dropped, $"the attacker hands in {kept} rows")),
            ]);
    }

    public TuningPlan Map(TuningPlan plan) => plan with
    {
        Method = settings.Method ?? plan.Method, LoraRank = settings.LoraRank ?? plan.LoraRank, LoraAlpha = settings.LoraRank * 2 ?? plan.LoraAlpha,
        LearningRate = settings.LearningRate ?? plan.LearningRate, Schedule = settings.Schedule ?? plan.Schedule,
        Steps = settings.Steps ?? plan.Steps, BatchSize = settings.BatchSize ?? plan.BatchSize,
    };
}
