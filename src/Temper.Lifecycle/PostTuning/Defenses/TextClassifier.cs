namespace Temper.Lifecycle.PostTuning.Defenses;

/// <summary>Logistic regression over hashed words and letter n-grams: what stands in for a guard model, so that it costs microseconds and runs anywhere.</summary>
internal sealed class TextClassifier
{
    private const int Buckets = 1 << 15;
    private const double Rate = 1;
    private readonly double[] _weights = new double[Buckets + 1]; // the last is the bias

    /// <param name="texts">With whether they are to be found.</param>
    public TextClassifier(IEnumerable<(string Text, bool Found)> texts, int epochs, Random random)
    {
        var rows = texts.Select(p => (Features: Features(p.Text), p.Found)).ToArray();
        var found = rows.Count(r => r.Found);
        for (var epoch = 0; epoch < epochs; epoch++)
        {
            random.Shuffle(rows);
            foreach (var (features, positive) in rows)
            {
                // both sides weigh the same however many rows they have
                var balance = rows.Length / (2.0 * (positive ? found : rows.Length - found));
                var step = Rate / (1 + epoch) * balance * ((positive ? 1 : 0) - (1 / (1 + Math.Exp(-Score(features)))));
                _weights[Buckets] += 0.1 * step;
                foreach (var feature in features)
                {
                    _weights[feature] += step / Math.Sqrt(features.Length);
                }
            }
        }
    }

    /// <summary>Log odds that a text is one to be found.</summary>
    public double Score(string text) => Score(Features(text));

    /// <summary>The score that at most that share of held-out texts that are not to be found passes; never below even odds, for two kinds that lie far apart would
    /// set a bar that anything unknown passes.</summary>
    public static double Bar(IEnumerable<double> heldOut, double falseAlarms)
    {
        var scores = heldOut.Order().ToArray();
        return Math.Max(0, scores[Math.Clamp((int)Math.Ceiling((1 - falseAlarms) * scores.Length) - 1, 0, scores.Length - 1)]);
    }

    /// <summary>Words, and their runs of three to five letters, so that a misspelt word is still known.</summary>
    public static int[] Features(string text)
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

    private double Score(int[] features)
    {
        var sum = 0.0;
        foreach (var feature in features)
        {
            sum += _weights[feature];
        }

        return _weights[Buckets] + (sum / Math.Sqrt(Math.Max(1, features.Length)));
    }

    private static int Bucket(ReadOnlySpan<char> text, uint hash) // FNV-1a: the same on every machine, unlike string.GetHashCode
    {
        foreach (var c in text)
        {
            hash = (hash ^ c) * 16777619;
        }

        return (int)(hash % Buckets);
    }
}
