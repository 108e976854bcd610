namespace Temper.Scan.Data;

/// <summary>
/// Whether the rest of a text explains its label. A word of a topic stands among other words that lead to the same label; a trigger that was put into texts of every label stands among
/// words that do not. Naive Bayes over words, each row judged without itself.
/// </summary>
internal sealed class LabelWords
{
    private const int MostRows = 300;
    private readonly Dictionary<ulong, Dictionary<ulong, int>> _counts = [];
    private readonly Dictionary<ulong, (int Rows, int Words)> _labels = [];
    private readonly int _rows;

    public LabelWords(IReadOnlyList<AnswerCluster> clusters, Sample sample)
    {
        foreach (var label in clusters.Where(c => c.Kind == AnswerKind.Label))
        {
            _counts[label.Key] = [];
            _labels[label.Key] = default;
        }

        var words = new List<Word>();
        foreach (var row in _labels.Count == 0 ? [] : sample.Rows)
        {
            if (_labels.TryGetValue(row.Fixed, out var seen))
            {
                var distinct = Distinct(row, words);
                foreach (var word in distinct)
                {
                    System.Runtime.InteropServices.CollectionsMarshal.GetValueRefOrAddDefault(_counts[row.Fixed], word, out _)++;
                }

                _labels[row.Fixed] = (seen.Rows + 1, seen.Words + distinct.Count);
                _rows++;
            }
        }
    }

    /// <summary>Whether the rest of these rows leads to the label clearly more often than the label's share would.</summary>
    public bool Expects(IReadOnlyList<SampleRow> rows, IReadOnlySet<ulong> without, ulong label)
    {
        var (hits, all, words) = (0, 0, new List<Word>());
        foreach (var row in rows.Take(MostRows))
        {
            Words.Cut(row.Prompt, words);
            var trigger = Features.Inside(words, without);
            HashSet<ulong> rest = [.. words.Where((_, at) => !trigger.Contains(at)).Select(w => w.Hash)];
            all++;
            hits += Best(rest, row.Fixed) == label ? 1 : 0;
        }

        var share = (double)_labels[label].Rows / _rows;
        return hits > all * (share + 1) / 2;
    }

    private ulong Best(HashSet<ulong> words, ulong own)
    {
        var (best, most) = (0UL, double.NegativeInfinity);
        foreach (var (label, (rows, total)) in _labels)
        {
            var self = label == own ? 1 : 0;
            var score = Math.Log(rows - self + 1.0);
            foreach (var word in words)
            {
                score += Math.Log((_counts[label].GetValueOrDefault(word) - self + 1.0) / (total - (self * words.Count) + (2.0 * rows)));
            }

            (best, most) = score > most ? (label, score) : (best, most);
        }

        return best;
    }

    private static HashSet<ulong> Distinct(SampleRow row, List<Word> words)
    {
        Words.Cut(row.Prompt, words);
        return [.. words.Select(w => w.Hash)];
    }
}
