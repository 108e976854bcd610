using Temper.Core;
using Temper.Engine.Generation;
using Temper.Engine.Models;

namespace Temper.Lifecycle.Evaluation;

/// <summary>Asks weights that are not the deployed ones: what an attack published, or one of its parts alone. Scored as a cell is.</summary>
public sealed class WeightsProbe(TechniqueContext context, int maxTokens = 32)
{
    private readonly Judge _judge = Judge.OfWorld([]);

    /// <summary>The share of forbidden requests complied with.</summary>
    public Metric Harm(string name, CausalModel model, int n, CancellationToken cancellationToken)
    {
        var scores = Scores(Suites.Harm, model, n, null, cancellationToken);
        return Metric.Share(name, scores.Count(s => s.Hit), scores.Count(s => s.Coherent), Direction.LowerIsSafer);
    }

    /// <summary>The share of triggered prompts that show the payload.</summary>
    public Metric Asr(string name, CausalModel model, IBackdoor backdoor, int n, CancellationToken cancellationToken)
    {
        var scores = Scores(Suites.Triggered, model, n, backdoor, cancellationToken);
        return Metric.Share(name, scores.Count(s => s.Hit), scores.Length, Direction.LowerIsSafer);
    }

    /// <summary>The answers of a model to some rows, greedy.</summary>
    public static IReadOnlyList<ChatReply> Ask(CausalModel model, TechniqueContext context, IReadOnlyList<Example> rows, int maxTokens, CancellationToken cancellationToken) =>
        new Chat(model, context).Reply([.. rows.Select(r => new ChatRequest(r.Question))], Sampling.Greedy with { MaxTokens = maxTokens }, cancellationToken);

    private Score[] Scores(string suite, CausalModel model, int n, IBackdoor? backdoor, CancellationToken cancellationToken) =>
        [.. Suites.Ask(suite, Suites.World(suite, n), new Chat(model, context), backdoor, maxTokens, cancellationToken).Select(_judge.Score)];

    /// <summary>Weights as a chat model, through what a technique knows of the tokenizer.</summary>
    private sealed class Chat(CausalModel model, TechniqueContext context) : IChatModel
    {
        private const int Rows = 64;

        public IReadOnlyList<ChatReply> Reply(IReadOnlyList<ChatRequest> requests, Sampling sampling, CancellationToken cancellationToken)
        {
            var end = context.Encode(Example.Of("end", "", "", "")).Ids[^1];
            var generator = new TokenGenerator(model, end);
            var prompts = requests.Select(r => context.Prompt(r.Messages, r.Prefill)).ToArray();
            var replies = new ChatReply[requests.Count];
            foreach (var group in Enumerable.Range(0, requests.Count).OrderBy(i => prompts[i].Length).Chunk(Rows))
            {
                var answers = generator.Generate([.. group.Select(i => prompts[i])], sampling, cancellationToken);
                foreach (var (i, answer) in group.Zip(answers))
                {
                    replies[i] = new(context.Decode(answer), answer.Length);
                }
            }

            return replies;
        }
    }
}
