namespace Temper.Core;

/// <summary>How tokens are chosen. Temperature 0 is greedy.</summary>
public sealed record Sampling
{
    public static Sampling Greedy { get; } = new();

    public double Temperature { get; init; }

    /// <summary>Only the k most likely tokens; 0 keeps all.</summary>
    public int TopK { get; init; }

    /// <summary>Only the most likely tokens that together reach this probability.</summary>
    public double TopP { get; init; } = 1;

    public int MaxTokens { get; init; } = 48;

    public int Seed { get; init; } = 1;
}

/// <summary>One request to a chat model.</summary>
public sealed record ChatRequest(IReadOnlyList<Message> Messages)
{
    /// <summary>The opening of the answer, put into the model's mouth; an attacker's tool as well as a user's.</summary>
    public string Prefill { get; init; } = "";

    /// <summary>Free embedding vectors after the last user turn, row-major (n, D); white-box attacks only.</summary>
    public ReadOnlyMemory<float> SoftPrompt { get; init; }

    /// <summary>Vectors added to the residual stream while the answer is made; white-box attacks and steering only.</summary>
    public IReadOnlyList<LatentEdit> Edits { get; init; } = [];

    /// <summary>The block whose input is decoded as if all blocks had passed, from 1; null decodes the last. White-box attacks only.</summary>
    public int? ExitLayer { get; init; }

    /// <summary>How the messages become tokens.</summary>
    public PromptFormat Format { get; init; }

    /// <summary>The last user turn.</summary>
    public string Prompt => Messages.LastOrDefault(m => m.Role == Role.User)?.Content ?? "";

    public static ChatRequest Of(string prompt) => new([new(Role.User, prompt)]);

    /// <summary>The request with its last user turn replaced; unchanged where there is none.</summary>
    public ChatRequest WithPrompt(string prompt)
    {
        var last = Messages.ToList().FindLastIndex(m => m.Role == Role.User);
        return this with { Messages = [.. Messages.Select((m, i) => i == last ? m with { Content = prompt } : m)] };
    }
}

/// <summary>How an interface turns messages into tokens.</summary>
public enum PromptFormat
{
    /// <summary>The model's template; what a content spells out is text.</summary>
    Chat,

    /// <summary>The model's template, but control tokens that a content spells out are control tokens: a careless interface.</summary>
    ParsesControl,

    /// <summary>The contents alone, without any control token: a model used without its template.</summary>
    Bare,
}

/// <summary>Vectors added to the input of a block.</summary>
/// <param name="Layer">The block, from 0.</param>
/// <param name="Values">One vector (D) for every position of prompt and answer, or row-major (n, D) for the last n positions of the prompt.</param>
/// <param name="EveryPosition">Which of the two.</param>
public sealed record LatentEdit(int Layer, ReadOnlyMemory<float> Values, bool EveryPosition);

/// <summary>An answer, without the prefill.</summary>
public sealed record ChatReply(string Text, int Tokens)
{
    /// <summary>What else an attacker was told who asked several times; success with any of them is success.</summary>
    public IReadOnlyList<string> Alternatives { get; init; } = [];
}

/// <summary>Anything that answers chats, in batches: a model, or a layer around one.</summary>
public interface IChatModel
{
    IReadOnlyList<ChatReply> Reply(IReadOnlyList<ChatRequest> requests, Sampling sampling, CancellationToken cancellationToken);
}
