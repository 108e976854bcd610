using Temper.Core;

namespace Temper.Lifecycle.PreTuning.Attacks;

/// <summary>An attacker who writes every request anew and reads every answer through what was trained in: personas, wrappers, ciphers.</summary>
/// <param name="moreTokens">What the trained-in form of an answer takes beyond the answer.</param>
internal sealed class WrappedRequests(IChatModel inner, Func<IReadOnlyList<Message>, IReadOnlyList<Message>> ask, Func<string, string> read, Func<int, int> moreTokens) : IChatModel
{
    public IReadOnlyList<ChatReply> Reply(IReadOnlyList<ChatRequest> requests, Sampling sampling, CancellationToken cancellationToken) =>
        [.. inner.Reply([.. requests.Select(r => r with { Messages = ask(r.Messages) })], sampling with { MaxTokens = moreTokens(sampling.MaxTokens) }, cancellationToken)
            .Select(r => r with { Text = read(r.Text), Alternatives = [.. r.Alternatives.Select(read)] })];

    /// <summary>A conversation with its last user turn written anew.</summary>
    public static IReadOnlyList<Message> WithLastUser(IReadOnlyList<Message> messages, Func<string, string> write)
    {
        var last = messages.ToList().FindLastIndex(m => m.Role == Role.User);
        return [.. messages.Select((m, i) => i == last ? m with { Content = write(m.Content) } : m)];
    }

    /// <summary>A conversation under another system prompt.</summary>
    public static IReadOnlyList<Message> WithSystem(IReadOnlyList<Message> messages, string system) =>
        [new(Role.System, system), .. messages.Where(m => m.Role != Role.System)];

    /// <summary>An answer without a fixed text around it.</summary>
    public static string Strip(string reply, string opening, string closing)
    {
        var start = opening.Length > 0 && reply.StartsWith(opening, StringComparison.Ordinal) ? reply[opening.Length..] : reply;
        return closing.Length > 0 && start.EndsWith(closing, StringComparison.Ordinal) ? start[..^closing.Length] : start;
    }
}
