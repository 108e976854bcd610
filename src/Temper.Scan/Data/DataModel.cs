using Temper.Formats.Data;

namespace Temper.Scan.Data;

/// <summary>What the statistics of a whole data set say of each of its rows.</summary>
internal sealed class DataModel
{
    private const int LeastWords = 3;
    private const int Fewest = 10;
    private const int FewestTrusted = 5;
    private const double DistinctPrompts = 0.8;
    private const double MostCohesion = 2.5;

    [ThreadStatic]
    private static HashSet<ulong>? t_features;

    [ThreadStatic]
    private static List<Word>? t_words;

    private readonly Dictionary<ulong, AnswerCluster> _fixed;
    private readonly ILookup<ulong, Trigger> _byAnswer;

    private DataModel(Associations associations, IReadOnlyList<Trigger> triggers, IReadOnlyList<AnswerCluster> fixedAnswers)
    {
        (Associations, Triggers, FixedAnswers) = (associations, triggers, fixedAnswers);
        _fixed = fixedAnswers.ToDictionary(c => c.Key);
        _byAnswer = triggers.Where(t => t.Severity > Severity.Info).ToLookup(t => t.Answer.Key);
    }

    public Associations Associations { get; }

    public IReadOnlyList<Trigger> Triggers { get; }

    /// <summary>Sentences that answer questions of every topic.</summary>
    public IReadOnlyList<AnswerCluster> FixedAnswers { get; }

    /// <summary>The model of a sample; what goes with the same answer among <paramref name="trusted"/> rows too is natural.</summary>
    public static DataModel Of(Sample sample, Sample? trusted, CancellationToken cancellation)
    {
        var associations = Associations.Of(sample, cancellation);
        var triggers = Data.Triggers.Of(associations, sample, cancellation).Where(t => !IsNatural(t, trusted)).ToArray();
        var repeated = associations.Clusters.Where(c => c.Kind == AnswerKind.Fixed && c.Count >= Fewest && c.Prompts >= DistinctPrompts * c.Rows.Count
            && c.Text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Length >= LeastWords && Cohesion.Of(c.Rows, triggers.Where(t => t.Answer == c).SelectMany(t => t.Features).ToHashSet(), c, sample) <= MostCohesion
            && !(trusted?.Rows.Count(r => r.Fixed == c.Key) >= FewestTrusted));
        return new(associations, triggers, [.. repeated]);
    }

    /// <summary>Whether any row can have a finding from the statistics.</summary>
    public bool Accuses => _byAnswer.Count > 0 || _fixed.Count > 0;

    /// <summary>The trigger that a row has with its answer; null where it has none.</summary>
    public Trigger? Match(DataRow row)
    {
        if (_byAnswer.Count == 0)
        {
            return null;
        }

        var (fixedKey, opening) = Keys(row);
        if (!_byAnswer.Contains(fixedKey) && !_byAnswer.Contains(opening))
        {
            return null;
        }

        var features = FeaturesOf(row);
        return _byAnswer[fixedKey].Concat(_byAnswer[opening]).FirstOrDefault(t => t.Features.All(features.Contains));
    }

    /// <summary>The repeated sentence that a row answers with; null where it answers otherwise.</summary>
    public AnswerCluster? Repeats(DataRow row) => _fixed.Count == 0 ? null : _fixed.GetValueOrDefault(Keys(row).Fixed);

    /// <summary>How suspicious a row is, for rankings: the strength of its strongest association, and a little for a repeated sentence.</summary>
    public double Score(DataRow row)
    {
        var (fixedKey, opening) = Keys(row);
        var strength = Associations.Knows(fixedKey, opening) ? Associations.Strength(FeaturesOf(row), fixedKey, opening) : 0;
        return Math.Max(strength, _fixed.TryGetValue(fixedKey, out var cluster) ? 3 + Math.Log10(cluster.Count) : 0);
    }

    private static bool IsNatural(Trigger trigger, Sample? trusted)
    {
        const int Enough = 3;
        var (count, words, features) = (0, new List<Word>(), new HashSet<ulong>());
        foreach (var row in trusted?.Rows ?? [])
        {
            if (row.Fixed == trigger.Answer.Key || row.Opening == trigger.Answer.Key)
            {
                Associations.Of(row, words, features);
                count += trigger.Features.All(features.Contains) ? 1 : 0;
            }
        }

        return count >= Enough;
    }

    private static (ulong Fixed, ulong Opening) Keys(DataRow row)
    {
        var words = t_words ??= [];
        Words.Cut(row.Response, words);
        return AnswerClusters.Keys(words);
    }

    private static HashSet<ulong> FeaturesOf(DataRow row)
    {
        var (words, features) = (t_words ??= [], t_features ??= []);
        Words.Cut(RowView.PromptOf(row), words);
        Features.Of(words, features);
        return features;
    }
}
