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

    public static ChatRequest Of(string prompt) => new([new(Role.User, prompt)]);
}

/// <summary>An answer, without the prefill.</summary>
public sealed record ChatReply(string Text, int Tokens);

/// <summary>Anything that answers chats, in batches: a model, or a layer around one.</summary>
public interface IChatModel
{
    IReadOnlyList<ChatReply> Reply(IReadOnlyList<ChatRequest> requests, Sampling sampling, CancellationToken cancellationToken);
}
