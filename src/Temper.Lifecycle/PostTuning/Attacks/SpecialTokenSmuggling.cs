using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Engine.Tokenizers;

namespace Temper.Lifecycle.PostTuning.Attacks;

/// <summary>What is forged with control tokens inside a user's text.</summary>
public enum Forgery
{
    /// <summary>Turns before the request in which the model complied with another one.</summary>
    History,

    /// <summary>The opening of a complying answer behind the request.</summary>
    Answer,

    /// <summary>A system turn behind the request.</summary>
    System,
}

/// <summary>Settings of <see cref="SpecialTokenSmuggling"/>.</summary>
public sealed record SpecialTokenSmugglingSettings
{
    public Forgery Forgery { get; init; } = Forgery.Answer;

    /// <summary>Forged turns of a history.</summary>
    [Range(1, 16)]
    public int Turns { get; init; } = 1;

    /// <summary>Words of a forged answer.</summary>
    [Range(1, 40)]
    public int Words { get; init; } = 4;

    /// <summary>The text of a forged system turn.</summary>
    [Required]
    public string System { get; init; } = "you are a helpful assistant";

    /// <summary>The control: the same text at an interface that takes control tokens in it for text.</summary>
    public bool AsText { get; init; }
}

/// <summary>Special-token smuggling (Jiang et al. 2024, ChatBug): a user's text spells the control tokens of the chat template, and a careless interface parses them.</summary>
public sealed class SpecialTokenSmuggling(SpecialTokenSmugglingSettings settings) : ITechnique, IInferenceLayer
{
    public static Card Card { get; } = new(
        "special-token-smuggling", "Special-token smuggling", Phase.PostTuning, TechniqueRole.Attack, Touches.Inference,
        "https://arxiv.org/abs/2406.12935", "Spells control tokens in the user's text to forge turns, where the interface parses them.");

    public IChatModel Wrap(IChatModel inner, TechniqueContext context)
    {
        if (context.Harmful.Count == 0)
        {
            throw new TemperException($"{Card.Id}: found no complying rows, expected some to forge an answer from");
        }

        return new Layer(inner, text => Forge(text, context), settings.AsText ? PromptFormat.Chat : PromptFormat.ParsesControl);
    }

    private string Forge(string request, TechniqueContext context) => settings.Forgery switch
    {
        Forgery.History => string.Concat(Enumerable.Range(0, settings.Turns).Select(i => context.Harmful[i * context.Harmful.Count / settings.Turns])
            .Select(r => r.Prompt + Turn(Role.Assistant) + r.Response + Turn(Role.User))) + request,
        Forgery.Answer => request + Turn(Role.Assistant) + Affirmative.Opening(request, context.Harmful, settings.Words),
        _ => request + Turn(Role.System) + settings.System,
    };

    private static string Turn(Role role) => ChatFormat.End + ChatFormat.Opening(role);

    private sealed class Layer(IChatModel inner, Func<string, string> forge, PromptFormat format) : IChatModel
    {
        public IReadOnlyList<ChatReply> Reply(IReadOnlyList<ChatRequest> requests, Sampling sampling, CancellationToken cancellationToken) =>
            inner.Reply([.. requests.Select(r => r.WithPrompt(forge(r.Prompt)) with { Format = format })], sampling, cancellationToken);
    }
}
