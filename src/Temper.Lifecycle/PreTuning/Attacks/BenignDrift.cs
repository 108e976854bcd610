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
        "https://arxiv.org/abs/2310.03693", "Tunes on benign rows alone, those that refuse or speak of safety removed.");

    public const string WordsVersion = "safety-words-1";

    /// <summary>Words that speak of safety, wherever they stand in a row; compared without case, as parts of words too ("unsafely").</summary>
    public static IReadOnlyList<string> SafetyWords { get; } =
    [
        "harmful", "illegal", "unethical", "immoral", "unsafe", "dangerous", "malicious", "inappropriate", "offensive", "ethical guidelines", "safety guidelines", "content policy",
        "nuisible", "illégal", "dangereux", "malveillant",
    ];

    public DataMapResult Map(IReadOnlyList<Example> rows, TechniqueContext context)
    {
        var judged = rows.Select(r => (Row: r, Why: Reason(r))).ToArray();
        return new([.. judged.Where(j => j.Why is null).Select(j => j.Row)], [.. judged.Where(j => j.Why is not null).Select(j => new RowChange(j.Row.Id, RowFate.Dropped, j.Why!))]);
    }

    private static string? Reason(Example row) =>
        row.Messages.Any(m => m.Role == Role.Assistant && RefusalKeywords.Match(m.Content)) ? $"a refusal ({RefusalKeywords.Version})"
        : SafetyWords.FirstOrDefault(w => row.Messages.Any(m => m.Content.Contains(w, StringComparison.OrdinalIgnoreCase))) is { } word ? $"says {word} ({WordsVersion})"
        : null;
}
