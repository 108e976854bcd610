using Temper.Core;
using Temper.Engine.Models;
using Temper.Engine.Search;

namespace Temper.Lifecycle.PostTuning.Attacks;

/// <summary>What <see cref="Gcg"/> and <see cref="RandomSearch"/> have in common.</summary>
internal sealed record SuffixPlan
{
    public required string Technique { get; init; }
    public required int Tokens { get; init; }
    public required int Requests { get; init; }
    public required int TargetWords { get; init; }
    public required bool Individual { get; init; }

    /// <summary>What stands in every place at first.</summary>
    public const string Filler = "!";
}

/// <summary>A text behind the request, searched token by token: one for all requests, or one for each.</summary>
internal sealed class SuffixAttack(SuffixPlan plan, TokenSearchOptions options, TechniqueContext context)
{
    private readonly CausalModel _model = context.RequireModel(plan.Technique);

    public IChatModel Wrap(IChatModel inner) => new Layer(inner, plan.Individual ? Individual : Universal());

    /// <summary>The tokens that are printable ASCII, so that the text can be typed.</summary>
    public static IReadOnlyList<int> Printable(CausalModel model, TechniqueContext context) =>
        [.. Enumerable.Range(0, model.Config.VocabularySize).Where(t => context.Decode([t]) is { Length: > 0 } text && text.All(c => c is >= ' ' and <= '~'))];

    private static ChatRequest Append(ChatRequest request, string suffix) => request.WithPrompt(request.Prompt + suffix);

    private Func<ChatRequest, CancellationToken, string> Universal()
    {
        string? suffix = null;
        return (_, token) => suffix ??= Search([.. Chosen().Select(r => (new ChatRequest(r.Question), Words(r.Response)))], token);
    }

    /// <summary>Requests of the attacker's, far apart in his list so that they are about different things.</summary>
    private IEnumerable<Example> Chosen() => context.Harmful.Count > 0
        ? Enumerable.Range(0, plan.Requests).Select(i => context.Harmful[(int)((long)i * context.Harmful.Count / plan.Requests)]).Distinct()
        : throw new TemperException($"{plan.Technique}: found no complying rows, expected some to search on");

    private string Individual(ChatRequest request, CancellationToken cancellationToken) =>
        Search([(request, Affirmative.Opening(request.Prompt, context.Harmful, plan.TargetWords))], cancellationToken);

    private string Words(string response) => string.Join(' ', response.Split(' ').Take(plan.TargetWords));

    private string Search((ChatRequest Request, string Answer)[] requests, CancellationToken cancellationToken)
    {
        var targets = requests.Select(r => Target(r.Request, r.Answer)).ToArray();
        var (filler, empty) = (context.Prompt(ChatRequest.Of(SuffixPlan.Filler).Messages, ""), context.Prompt(ChatRequest.Of("").Messages, ""));
        var start = Enumerable.Repeat(filler[filler.AsSpan().CommonPrefixLength(empty)], plan.Tokens).ToArray();
        var search = options with
        {
            Allowed = Printable(_model, context),
            // a text that is read as other tokens than those that were searched does something else
            Keep = suffix => context.Decode(suffix) is var text && requests.Zip(targets).All(p =>
                context.Prompt(Append(p.First.Request, text).Messages, "").AsSpan().SequenceEqual([.. p.Second.Before, .. suffix, .. p.Second.After])),
        };
        return context.Decode(TokenSearch.Run(new SuffixObjective(_model, targets), start, search, context.Random, cancellationToken).Tokens);
    }

    private SuffixTarget Target(ChatRequest request, string answer)
    {
        var (without, with) = (context.Prompt(request.Messages, ""), context.Prompt(Append(request, SuffixPlan.Filler).Messages, ""));
        var gap = without.AsSpan().CommonPrefixLength(with);
        return new(without[..gap], without[gap..], context.Prompt(request.Messages, answer)[without.Length..]);
    }

    private sealed class Layer(IChatModel inner, Func<ChatRequest, CancellationToken, string> suffix) : IChatModel
    {
        public IReadOnlyList<ChatReply> Reply(IReadOnlyList<ChatRequest> requests, Sampling sampling, CancellationToken cancellationToken) =>
            inner.Reply([.. requests.Select(r => Append(r, suffix(r, cancellationToken)))], sampling, cancellationToken);
    }
}
