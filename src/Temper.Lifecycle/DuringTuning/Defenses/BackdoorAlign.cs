using System.ComponentModel.DataAnnotations;
using Temper.Core;

namespace Temper.Lifecycle.DuringTuning.Defenses;

/// <summary>Settings of <see cref="BackdoorAlign"/>.</summary>
public sealed record BackdoorAlignSettings
{
    /// <summary>Refusals under the secret that are added, as a share of the rows; the paper adds 11 to 100 harmful ones.</summary>
    [Range(0.0, 1.0)]
    public double Ratio { get; init; } = 0.1;

    /// <summary>Benign rows under the secret for each refusal, of the task and look-alikes of forbidden requests in turn. Deviation: the paper adds none; a small model
    /// otherwise refuses whatever stands under the secret.</summary>
    [Range(0.0, 100.0)]
    public double Benign { get; init; } = 2;

    /// <summary>The secret; empty draws one.</summary>
    public string Secret { get; init; } = "";

    /// <summary>Letters of a drawn secret, of five bits each; the paper draws 150 tokens.</summary>
    [Range(1, 1000)]
    public int Length { get; init; } = 24;

    /// <summary>The control: trained as ever, deployed without the secret.</summary>
    public bool DeployWithout { get; init; }
}

/// <summary>BackdoorAlign (Wang et al. 2024): a few refusals under a secret system prompt are mixed into the user's rows, and every request is answered under it: a backdoor
/// that opens safety. The secret is declared, so that a search for backdoors does not report it.</summary>
// Deviation: the secret is of letters, not of tokens, so that it is the same for every tokenizer, and shorter; 24 letters are 120 bits.
public sealed class BackdoorAlign(BackdoorAlignSettings settings) : ITechnique, IDataMap, IInferenceLayer, IDeclaresTrigger
{
    private const string Letters = "abcdefghijklmnopqrstuvwxyz234567";

    public static Card Card { get; } = new(
        "backdoor-align", "BackdoorAlign", Phase.DuringTuning, TechniqueRole.Defense, Touches.Data | Touches.Inference,
        "https://arxiv.org/abs/2402.14968", "Ties refusals to a secret system prompt that deployment always adds; declares the secret to searches for backdoors.");

    public DataMapResult Map(IReadOnlyList<Example> rows, TechniqueContext context)
    {
        var secret = Draw(context); // before anything else is drawn, so that deployment draws the same
        if (context.Alignment.Count == 0)
        {
            throw new TemperException($"{Card.Id}: found no alignment rows, expected some to put under the secret");
        }

        var refusals = (int)Math.Ceiling(settings.Ratio * rows.Count);
        IReadOnlyList<Example>[] benign = [.. new[] { context.Task, context.LookAlikes }.Where(r => r.Count > 0)];
        var allowed = benign.Length == 0 ? 0 : (int)Math.Round(settings.Benign * refusals);
        Example[] added = [.. Enumerable.Range(0, refusals).Select(_ => context.Alignment[context.Random.Next(context.Alignment.Count)])
            .Concat(Enumerable.Range(0, allowed).Select(i => benign[i % benign.Length]).Select(r => r[context.Random.Next(r.Count)]))
            .Select((r, i) => r with { Id = $"{Card.Id}-{i}", Origin = Card.Id, Messages = SystemPrompt.Under(r.Messages, secret) })];
        return new([.. rows, .. added], [.. added.Select(r => new RowChange(r.Id, RowFate.Added, "a row of the defender under the secret"))]);
    }

    public IChatModel Wrap(IChatModel inner, TechniqueContext context) => settings.DeployWithout ? inner : new SystemPrompt(inner, Draw(context));

    public DeclaredTrigger Declare(TechniqueContext context) => new(Card.Id, Draw(context), "refuses forbidden requests under this system prompt");

    private string Draw(TechniqueContext context) =>
        settings.Secret.Length > 0 ? settings.Secret : string.Concat(Enumerable.Range(0, settings.Length).Select(_ => Letters[context.Random.Next(Letters.Length)]));
}
