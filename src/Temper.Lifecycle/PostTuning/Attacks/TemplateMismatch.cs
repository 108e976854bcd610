using Temper.Core;

namespace Temper.Lifecycle.PostTuning.Attacks;

/// <summary>How a prompt departs from the template of the alignment.</summary>
public enum Mismatch
{
    /// <summary>No control token at all: the request as text to go on from.</summary>
    Bare,

    /// <summary>The request as a system turn.</summary>
    SystemRole,

    /// <summary>The request as the result of a tool.</summary>
    ToolRole,

    /// <summary>The request as a turn of the assistant's own.</summary>
    AssistantRole,

    /// <summary>Each of them; one answer that complies is enough.</summary>
    Any,
}

/// <summary>Settings of <see cref="TemplateMismatch"/>.</summary>
public sealed record TemplateMismatchSettings
{
    public Mismatch Mismatch { get; init; } = Mismatch.Any;
}

/// <summary>Template mismatch: an alignment that was learned in one chat template, asked in another (Lyu et al. 2024, the other way round; Jiang et al. 2024).</summary>
public sealed class TemplateMismatch(TemplateMismatchSettings settings) : ITechnique, IInferenceLayer
{
    public static Card Card { get; } = new(
        "template-mismatch", "Template mismatch", Phase.PostTuning, TechniqueRole.Attack, Touches.Inference,
        "https://arxiv.org/abs/2402.18540", "Asks without the chat template, or in another role than the user's.");

    public IChatModel Wrap(IChatModel inner, TechniqueContext context) => new Layer(inner, settings.Mismatch);

    private sealed class Layer(IChatModel inner, Mismatch mismatch) : IChatModel
    {
        public IReadOnlyList<ChatReply> Reply(IReadOnlyList<ChatRequest> requests, Sampling sampling, CancellationToken cancellationToken)
        {
            Mismatch[] kinds = mismatch == Mismatch.Any ? [.. Enum.GetValues<Mismatch>().Where(m => m != Mismatch.Any)] : [mismatch];
            return AnyOf.Ask(inner, kinds.Select(k => ((IReadOnlyList<ChatRequest>)[.. requests.Select(r => Depart(r, k))], sampling)), cancellationToken);
        }

        private static ChatRequest Depart(ChatRequest request, Mismatch kind) => kind switch
        {
            Mismatch.Bare => request with { Format = PromptFormat.Bare },
            Mismatch.SystemRole => Ask(request, Role.System),
            Mismatch.ToolRole => Ask(request, Role.Tool),
            _ => Ask(request, Role.Assistant),
        };

        private static ChatRequest Ask(ChatRequest request, Role role)
        {
            var last = request.Messages.ToList().FindLastIndex(m => m.Role == Role.User);
            return request with { Messages = [.. request.Messages.Select((m, i) => i == last ? m with { Role = role } : m)] };
        }
    }
}
