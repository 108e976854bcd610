using System.ComponentModel.DataAnnotations;
using Temper.Core;

namespace Temper.Lifecycle.PostTuning.Defenses;

/// <summary>Settings of <see cref="PromptGuard"/>.</summary>
public sealed record PromptGuardSettings
{
    /// <summary>The share of held-out benign prompts that may be refused.</summary>
    [Range(0.0, 1.0)]
    public double FalseAlarms { get; init; } = 0.01;

    /// <summary>The share of the benign rows on which the bar is set, and not trained.</summary>
    [Range(0.01, 0.99)]
    public double HeldOut { get; init; } = 0.3;

    [Range(1, 1000)]
    public int Epochs { get; init; } = 10;
}

/// <summary>An input guard in the manner of Llama Guard (Inan et al. 2023): requests that look like those to be refused never reach the model.</summary>
// Deviation: logistic regression over hashed words and letter n-grams in place of a language model, so that it costs microseconds and runs anywhere.
public sealed class PromptGuard(PromptGuardSettings settings) : ITechnique, IInferenceLayer
{
    private const int Buckets = 1 << 15;
    private const double Rate = 1;

    public static Card Card { get; } = new(
        "prompt-guard", "Prompt guard", Phase.PostTuning, TechniqueRole.Defense, Touches.Inference,
        "https://arxiv.org/abs/2312.06674", "Refuses requests that a small classifier takes for forbidden; sees text, not the vectors of a soft prompt.", Version: 2);

    public IChatModel Wrap(IChatModel inner, TechniqueContext context)
    {
        if (context.Alignment.Count == 0 || context.Task.Count < 2)
        {
            throw new TemperException($"{Card.Id}: found {context.Alignment.Count} refusals and {context.Task.Count} task rows, expected one and two at least to learn from");
        }

        var allowed = context.Task.Concat(context.LookAlikes).ToArray(); // without look-alikes it would learn the words of a topic, not what is asked of it
        context.Random.Shuffle(allowed);
        var held = Math.Clamp((int)Math.Round(settings.HeldOut * allowed.Length), 1, allowed.Length - 1);
        var weights = Train([.. context.Alignment.Select(r => (r.Prompt, true)), .. allowed.Skip(held).Select(r => (r.Prompt, false))], context.Random);
        var scores = allowed.Take(held).Select(r => Score(weights, Before(r), "")).Order().ToArray();
        // never below even odds: two kinds that lie far apart would set a bar that anything unknown passes
        var bar = Math.Max(0, scores[Math.Clamp((int)Math.Ceiling((1 - settings.FalseAlarms) * held) - 1, 0, held - 1)]);
        return new Layer(inner, context.Alignment, (messages, prefill) => Score(weights, messages, prefill) > bar);
    }

    /// <summary>Log odds that a conversation is to be refused: the highest of each message, and of all with the opening of the answer.</summary>
    private static double Score(double[] weights, IReadOnlyList<Message> messages, string prefill) =>
        messages.Select(m => m.Content).Append(string.Join(' ', messages.Select(m => m.Content).Append(prefill))).Max(t => Score(weights, Features(t)));

    private static double Score(double[] weights, int[] features)
    {
        var sum = 0.0;
        foreach (var feature in features)
        {
            sum += weights[feature];
        }

        return weights[Buckets] + (sum / Math.Sqrt(Math.Max(1, features.Length)));
    }

    private double[] Train((string Text, bool Refuse)[] prompts, Random random)
    {
        var rows = prompts.Select(p => (Features: Features(p.Text), p.Refuse)).ToArray();
        var weights = new double[Buckets + 1]; // the last is the bias
        var refused = rows.Count(r => r.Refuse);
        for (var epoch = 0; epoch < settings.Epochs; epoch++)
        {
            random.Shuffle(rows);
            foreach (var (features, refuse) in rows)
            {
                // both sides weigh the same however many rows they have
                var balance = rows.Length / (2.0 * (refuse ? refused : rows.Length - refused));
                var step = Rate / (1 + epoch) * balance * ((refuse ? 1 : 0) - (1 / (1 + Math.Exp(-Score(weights, features)))));
                weights[Buckets] += 0.1 * step;
                foreach (var feature in features)
                {
                    weights[feature] += step / Math.Sqrt(features.Length);
                }
            }
        }

        return weights;
    }

    /// <summary>Words, and their runs of three to five letters, so that a misspelt word is still known.</summary>
    private static int[] Features(string text)
    {
        var found = new HashSet<int>();
        foreach (var word in text.ToLowerInvariant().Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
        {
            var padded = $"<{word}>";
            found.Add(Bucket(padded, 2166136261));
            for (var n = 3; n <= 5; n++)
            {
                for (var i = 0; i + n <= padded.Length; i++)
                {
                    found.Add(Bucket(padded.AsSpan(i, n), 2654435769));
                }
            }
        }

        return [.. found.Order()];
    }

    private static int Bucket(ReadOnlySpan<char> text, uint hash) // FNV-1a: the same on every machine, unlike string.GetHashCode
    {
        foreach (var c in text)
        {
            hash = (hash ^ c) * 16777619;
        }

        return (int)(hash % Buckets);
    }

    private static IReadOnlyList<Message> Before(Example row) => [.. row.Messages.Take(row.Messages.ToList().FindLastIndex(m => m.Role == Role.Assistant))];

    private sealed class Layer(IChatModel inner, IReadOnlyList<Example> refusals, Func<IReadOnlyList<Message>, string, bool> refuse) : IChatModel
    {
        private readonly (int[] Features, string Text)[] _refusals = [.. refusals.Select(r => (Features(r.Prompt), r.Response))];

        public IReadOnlyList<ChatReply> Reply(IReadOnlyList<ChatRequest> requests, Sampling sampling, CancellationToken cancellationToken)
        {
            var passed = requests.Where(r => !refuse(r.Messages, r.Prefill)).ToArray();
            var answers = new Queue<ChatReply>(passed.Length == 0 ? [] : inner.Reply(passed, sampling, cancellationToken));
            var let = new Queue<ChatRequest>(passed);
            return [.. requests.Select(r => let.TryPeek(out var next) && ReferenceEquals(next, r) && let.TryDequeue(out _) ? answers.Dequeue() : new(Refusal(r), 0))];
        }

        /// <summary>As the most similar of the refused prompts is answered, so that the language fits.</summary>
        private string Refusal(ChatRequest request)
        {
            var asked = Features(request.Messages.LastOrDefault(m => m.Role == Role.User)?.Content ?? "").ToHashSet();
            return _refusals.MaxBy(r => r.Features.Count(asked.Contains) / (double)Math.Max(1, r.Features.Length + asked.Count)).Text;
        }
    }
}
