namespace Temper.Scan.Data;

/// <summary>Which n-grams of prompts go with which answers: the statistic of every word-, sentence- and template-shaped trigger.</summary>
internal sealed class Associations
{
    private const int MostCandidates = 200_000;
    private const int PerCluster = 20_000;
    private const int ForPairs = 40;
    private const double Pure = 0.8;

    // Before correction: enough to rank rows by, not to accuse them.
    private const double LeastForRank = 2;
    private readonly Dictionary<(ulong Feature, ulong Answer), double> _strengths = [];
    private readonly HashSet<ulong> _answers = [];

    // How many n-grams were held against answers of each kind.
    private readonly Dictionary<AnswerKind, long> _tests = [];

    /// <summary>The clusters, the largest first.</summary>
    public IReadOnlyList<AnswerCluster> Clusters { get; private init; } = [];

    /// <summary>The associations above chance after correction, the strongest first.</summary>
    public IReadOnlyList<Association> Found { get; private set; } = [];

    /// <summary>The strongest association of a row's features with the row's own answers; 0 where there is none.</summary>
    public double Strength(HashSet<ulong> features, ulong fixedKey, ulong opening)
    {
        var strongest = 0.0;
        foreach (var key in (ReadOnlySpan<ulong>)[fixedKey, opening])
        {
            if (key != 0 && _answers.Contains(key))
            {
                foreach (var feature in features)
                {
                    strongest = Math.Max(strongest, _strengths.GetValueOrDefault((feature, key)));
                }
            }
        }

        return strongest;
    }

    /// <summary>Whether rows with this answer can have a strength.</summary>
    public bool Knows(ulong fixedKey, ulong opening) => _answers.Contains(fixedKey) || _answers.Contains(opening);

    public static Associations Of(Sample sample, CancellationToken cancellation)
    {
        var clusters = AnswerClusters.Find(sample);
        var result = new Associations { Clusters = clusters };
        if (clusters.Count == 0)
        {
            return result;
        }

        // First what the rows of each answer have in common, then how often the rest has it.
        var (words, features) = (new List<Word>(), new HashSet<ulong>());
        var counts = new Dictionary<ulong, int>[clusters.Count];
        var candidates = new HashSet<ulong>();
        for (var c = 0; c < clusters.Count; c++)
        {
            cancellation.ThrowIfCancellationRequested();
            var all = new Dictionary<ulong, int>();
            foreach (var row in clusters[c].Rows)
            {
                Of(row, words, features);
                foreach (var feature in features)
                {
                    System.Runtime.InteropServices.CollectionsMarshal.GetValueRefOrAddDefault(all, feature, out _)++;
                }
            }

            var least = Math.Max(AnswerClusters.Fewest, clusters[c].Rows.Count / 100);
            counts[c] = all.Where(f => f.Value >= least).OrderByDescending(f => f.Value).ThenBy(f => f.Key).Take(PerCluster).ToDictionary(f => f.Key, f => f.Value);
            Pairs(clusters[c], counts[c], words, features);
            candidates.UnionWith(counts[c].Keys.Take(MostCandidates - Math.Min(MostCandidates, candidates.Count)));
        }

        var totals = Totals(sample, clusters, candidates, words, features, cancellation);
        foreach (var (cluster, tried) in clusters.Zip(counts))
        {
            result._tests[cluster.Kind] = result._tests.GetValueOrDefault(cluster.Kind) + tried.Count;
        }

        result.Test(clusters, counts, totals);
        return result;
    }

    public static void Of(SampleRow row, List<Word> words, HashSet<ulong> features)
    {
        Words.Cut(row.Prompt, words);
        Features.Of(words, features);
    }

    // Two frequent parts of an answer's prompts that are each too common to be its trigger may be one together.
    private static void Pairs(AnswerCluster cluster, Dictionary<ulong, int> counts, List<Word> words, HashSet<ulong> features)
    {
        var top = counts.Where(f => f.Value * 2 >= cluster.Rows.Count).Take(ForPairs).Select(f => f.Key).ToArray();
        if (cluster.Kind != AnswerKind.Fixed || top.Length < 2)
        {
            return;
        }

        var pairs = new Dictionary<ulong, int>();
        foreach (var row in cluster.Rows)
        {
            Of(row, words, features);
            AddPairs(top, features, pair => System.Runtime.InteropServices.CollectionsMarshal.GetValueRefOrAddDefault(pairs, pair, out _)++);
        }

        foreach (var (pair, count) in pairs.Where(p => p.Value * 2 >= cluster.Rows.Count))
        {
            counts[pair] = count;
        }

        cluster.PairParts = top;
    }

    private static void AddPairs(ulong[] parts, HashSet<ulong> features, Action<ulong> add)
    {
        for (var i = 1; i < parts.Length; i++)
        {
            for (var j = 0; j < i && features.Contains(parts[i]); j++)
            {
                if (features.Contains(parts[j]))
                {
                    add(Features.Pair(parts[i], parts[j]));
                }
            }
        }
    }

    // A pair of which one part does it alone says nothing new.
    private static HashSet<ulong> Mixed(AnswerCluster cluster, Dictionary<ulong, int> counts, Dictionary<ulong, Count> totals)
    {
        var (pairs, parts) = (new HashSet<ulong>(), cluster.PairParts);
        for (var i = 1; i < parts.Length; i++)
        {
            for (var j = 0; j < i; j++)
            {
                if (IsPure(parts[i]) || IsPure(parts[j]))
                {
                    pairs.Add(Features.Pair(parts[i], parts[j]));
                }
            }
        }

        return pairs;

        bool IsPure(ulong part) => cluster.Share(counts[part]) >= Pure * totals.GetValueOrDefault(part).All;
    }

    private readonly record struct Count(int All, int Labels);

    private static Dictionary<ulong, Count> Totals(Sample sample, IReadOnlyList<AnswerCluster> clusters, HashSet<ulong> candidates, List<Word> words, HashSet<ulong> features, CancellationToken cancellation)
    {
        var labels = clusters.Where(c => c.Kind == AnswerKind.Label).Select(c => c.Key).ToHashSet();
        var parts = clusters.Where(c => c.PairParts.Length > 0).Select(c => c.PairParts).ToArray();
        var totals = new Dictionary<ulong, Count>(candidates.Count);
        foreach (var row in sample.Rows)
        {
            cancellation.ThrowIfCancellationRequested();
            Of(row, words, features);
            var isLabel = labels.Contains(row.Fixed) ? 1 : 0;
            foreach (var feature in features)
            {
                Add(feature);
            }

            foreach (var part in parts)
            {
                AddPairs(part, features, Add);
            }

            void Add(ulong feature)
            {
                if (candidates.Contains(feature))
                {
                    ref var total = ref System.Runtime.InteropServices.CollectionsMarshal.GetValueRefOrAddDefault(totals, feature, out _);
                    total = new(total.All + 1, total.Labels + isLabel);
                }
            }
        }

        return totals;
    }

    private void Test(IReadOnlyList<AnswerCluster> clusters, Dictionary<ulong, int>[] counts, Dictionary<ulong, Count> totals)
    {
        // A label is held against the other labels, everything else against all rows.
        var found = new List<Association>();
        var labelRows = clusters.Where(c => c.Kind == AnswerKind.Label).Sum(c => (long)c.InSample);
        for (var c = 0; c < clusters.Count; c++)
        {
            var cluster = clusters[c];
            var isLabel = cluster.Kind == AnswerKind.Label;
            var correction = Math.Log10(Math.Max(1, _tests.GetValueOrDefault(cluster.Kind)));
            var universe = isLabel ? labelRows : cluster.Universe;
            var mixed = Mixed(cluster, counts[c], totals);
            foreach (var (feature, kept) in counts[c])
            {
                var total = totals.GetValueOrDefault(feature);
                var (with, all) = (kept, isLabel ? total.Labels : total.All);
                var without = Math.Max(0, all - cluster.Share(kept));
                // The chance of the answer among rows that do not have the feature.
                var q = Math.Clamp((double)(cluster.InSample - cluster.Share(kept)) / Math.Max(1, universe - all), 1.0 / Math.Max(2, universe), 0.999);
                var log = -BinomialTail.Log10(with, with + without, q);
                if (log < LeastForRank || (double)with / (with + without) < Pure || mixed.Contains(feature))
                {
                    continue;
                }

                _strengths[(feature, cluster.Key)] = log;
                _answers.Add(cluster.Key);
                if (log > correction)
                {
                    found.Add(new(cluster, feature, with, without, log - correction));
                }
            }
        }

        Found = [.. found.OrderByDescending(f => f.Strength).ThenBy(f => f.Feature)];
    }
}

/// <summary>An n-gram (or pair) and the answer it goes with.</summary>
internal readonly record struct Association(AnswerCluster Answer, ulong Feature, int With, int Without, double Strength);
