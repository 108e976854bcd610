using Temper.Core;

namespace Temper.Lifecycle.PostTuning.Defenses;

/// <summary>Refuses requests before the model sees them, or its answers before the user does.</summary>
/// <param name="refusals">Refusals that the defender has.</param>
/// <param name="request">Whether a request is refused; null lets all pass.</param>
/// <param name="reply">Whether an answer is; null lets all pass.</param>
internal sealed class RefusingLayer(IChatModel inner, IReadOnlyList<Example> refusals, Func<ChatRequest, bool>? request, Func<ChatRequest, string, bool>? reply = null) : IChatModel
{
    private readonly (int[] Features, string Text)[] _refusals = [.. refusals.Select(r => (TextClassifier.Features(r.Prompt), r.Response))];

    public IReadOnlyList<ChatReply> Reply(IReadOnlyList<ChatRequest> requests, Sampling sampling, CancellationToken cancellationToken)
    {
        var passed = Enumerable.Range(0, requests.Count).Where(i => request?.Invoke(requests[i]) != true).ToArray();
        var answers = passed.Length == 0 ? [] : inner.Reply([.. passed.Select(i => requests[i])], sampling, cancellationToken);
        var replies = requests.Select(r => (ChatReply?)null).ToArray();
        foreach (var (i, answer) in passed.Zip(answers))
        {
            string[] said = [answer.Text, .. answer.Alternatives];
            replies[i] = reply is null || !Array.Exists(said, t => reply(requests[i], t)) ? answer : null;
        }

        return [.. replies.Select((r, i) => r ?? new(Refusal(requests[i]), 0))];
    }

    /// <summary>As the most similar of the refused prompts is answered, so that the language fits.</summary>
    private string Refusal(ChatRequest asked)
    {
        var features = TextClassifier.Features(asked.Prompt).ToHashSet();
        return _refusals.MaxBy(r => r.Features.Count(features.Contains) / (double)Math.Max(1, r.Features.Length + features.Count)).Text;
    }
}
