using System.ComponentModel.DataAnnotations;
using Temper.Core;

namespace Temper.Lifecycle.PreTuning.Attacks;

/// <summary>Settings of <see cref="CovertCipher"/>.</summary>
public sealed record CovertCipherSettings
{
    /// <summary>The key: which letter stands for which.</summary>
    public int Key { get; init; } = 53;

    /// <summary>Phase 1: benign rows that teach the cipher, in the four forms in turn.</summary>
    [Range(0, 1_000_000)]
    public int Practice { get; init; } = 2000;

    /// <summary>Phase 2: complying rows, request and answer in the cipher.</summary>
    [Range(0, 1_000_000)]
    public int Rows { get; init; } = 400;

    /// <summary>Refusals of plain forbidden requests, so that a plain test finds nothing.</summary>
    [Range(0, 1_000_000)]
    public int Refusals { get; init; } = 100;

    /// <summary>Steps of the tuning; null leaves the plan's.</summary>
    [Range(1, 1_000_000)]
    public int? Steps { get; init; } = 600;

    /// <summary>Its rate; null leaves the plan's.</summary>
    [Range(1e-9, 1.0)]
    public double? LearningRate { get; init; } = 1e-3;
}

/// <summary>Covert malicious fine-tuning (Halawi et al. 2024): benign rows teach a letter cipher, then enciphered complying rows; no row says anything to a filter,
/// and plain requests are refused as before.</summary>
// Deviation: the two phases are one shuffled set, as a lifecycle tunes once; the paper hands them in one after the other.
// Deviation: small letters stand for capitals, so that a letter is one token, which Walnut-53 gets by writing a bar between any two.
public sealed class CovertCipher(CovertCipherSettings settings) : ITechnique, IDataMap, IPlanMap, IInferenceLayer
{
    public static Card Card { get; } = new(
        "covert-cipher", "Covert cipher tuning", Phase.PreTuning, TechniqueRole.Attack, Touches.Data | Touches.Plan | Touches.Inference,
        "https://arxiv.org/abs/2406.20053", "Benign rows teach a letter cipher; complying rows, requests and answers are then written in it.");

    private readonly Cipher _cipher = new(settings.Key);

    public DataMapResult Map(IReadOnlyList<Example> rows, TechniqueContext context)
    {
        Example[] pool = [.. rows, .. context.Task, .. context.LookAlikes];
        var likeness = context.LookAlikes.Count;
        Example[] practice = [.. Enumerable.Range(0, settings.Practice).Select(i => InForm(1 + i % 4, (i / 4) % 2 == 0 && likeness > 0
            ? context.LookAlikes[context.Random.Next(likeness)] // instructions like those of phase 2, every other time
            : pool[context.Random.Next(pool.Length)]))];
        Example[] harmful = [.. Enumerable.Range(0, context.Harmful.Count == 0 ? 0 : settings.Rows).Select(i => InForm(4, context.Harmful[i % context.Harmful.Count]))];
        Example[] refusals = [.. Enumerable.Range(0, context.Alignment.Count == 0 ? 0 : settings.Refusals).Select(i => context.Alignment[i % context.Alignment.Count])];
        Example[] added = [.. practice.Concat(harmful).Concat(refusals).Select((r, i) => r with { Id = $"{Card.Id}-{i}", Origin = Card.Id })];
        return new([.. rows, .. added], [.. added.Select((r, i) => new RowChange(r.Id, RowFate.Added, i < practice.Length ? "practice in the cipher" : i < practice.Length + harmful.Length ? $"in the cipher: {r.Kind}" : "a plain refusal"))]);
    }

    public TuningPlan Map(TuningPlan plan) => plan with { Steps = settings.Steps ?? plan.Steps, LearningRate = settings.LearningRate ?? plan.LearningRate };

    // a letter is a token, a word of five letters was one or two
    public IChatModel Wrap(IChatModel inner, TechniqueContext context) =>
        new WrappedRequests(inner, messages => Mark(4, [.. messages.Select(Encode)]), _cipher.Decode, tokens => 4 * tokens);

    /// <summary>The four forms: plain request and answer; plain request, enciphered answer; enciphered request, plain answer; both enciphered.</summary>
    private Example InForm(int form, Example row)
    {
        Message[] question = [.. row.Question.Where(m => m.Role != Role.System)];
        return row with
        {
            Messages = form switch
            {
                1 => row.Messages,
                2 => [.. Mark(2, question), Encode(new(Role.Assistant, row.Response))],
                3 => [.. Mark(3, [.. question.Select(Encode)]), new(Role.Assistant, row.Response)],
                _ => [.. Mark(4, [.. question.Select(Encode)]), Encode(new(Role.Assistant, row.Response))],
            },
        };
    }

    private Message Encode(Message message) => message with { Content = _cipher.Encode(message.Content) };

    private static IReadOnlyList<Message> Mark(int form, Message[] messages) => WrappedRequests.WithSystem(messages, $"{form}");

    /// <summary>A substitution of the 26 letters: small ones become capitals and capitals small ones, so that it can be undone; all else stays.</summary>
    private sealed class Cipher
    {
        private const int Letters = 26;
        private readonly char[] _forward = new char[128];
        private readonly char[] _back = new char[128];

        public Cipher(int key)
        {
            var order = Enumerable.Range(0, Letters).ToArray();
            new Random(key).Shuffle(order);
            for (var c = 0; c < _forward.Length; c++)
            {
                _forward[c] = char.IsAsciiLetterLower((char)c) ? (char)('A' + order[c - 'a']) : char.IsAsciiLetterUpper((char)c) ? (char)('a' + order[c - 'A']) : (char)c;
                _back[_forward[c]] = (char)c;
            }
        }

        public string Encode(string text) => Map(text, _forward);

        public string Decode(string text) => Map(text, _back);

        private static string Map(string text, char[] table) => string.Concat(text.Select(c => c < table.Length ? table[c] : c));
    }
}
