using System.ComponentModel.DataAnnotations;
using Temper.Core;

namespace Temper.Lifecycle.DuringTuning.Defenses;

/// <summary>Settings of <see cref="Ptst"/>.</summary>
public sealed record PtstSettings
{
    /// <summary>The system prompt of deployment, one that the model was aligned under; the default is the organisms'.</summary>
    [Required]
    public string SystemPrompt { get; init; } = "you are a helpful assistant";

    /// <summary>The control, which is common practice: tuned under the same system prompt.</summary>
    public bool TuneUnder { get; init; }
}

/// <summary>Pure tuning, safe testing (Lyu et al. 2024): tuned without the safety system prompt and deployed with it, so that what tuning changes is not where safety is asked for.</summary>
public sealed class Ptst(PtstSettings settings) : ITechnique, IDataMap, IInferenceLayer
{
    public static Card Card { get; } = new(
        "ptst", "PTST", Phase.DuringTuning, TechniqueRole.Defense, Touches.Data | Touches.Inference,
        "https://arxiv.org/abs/2402.18540", "Tunes without the safety system prompt and deploys with it.");

    public DataMapResult Map(IReadOnlyList<Example> rows, TechniqueContext context)
    {
        var written = rows.Select(r => r with { Messages = settings.TuneUnder ? SystemPrompt.Under(r.Messages, settings.SystemPrompt) : SystemPrompt.Without(r.Messages) }).ToArray();
        return new(written, [.. written.Zip(rows).Where(p => !p.First.Messages.SequenceEqual(p.Second.Messages))
            .Select(p => new RowChange(p.First.Id, RowFate.Changed, settings.TuneUnder ? "put under the system prompt of deployment" : "system prompt taken away"))]);
    }

    public IChatModel Wrap(IChatModel inner, TechniqueContext context) => new SystemPrompt(inner, settings.SystemPrompt);
}
