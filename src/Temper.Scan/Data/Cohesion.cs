namespace Temper.Scan.Data;

/// <summary>
/// Whether rows that share an n-gram share a topic too. Where they do, the n-gram is a word of the topic; a trigger was put into prompts of every topic,
/// and they are as diverse as all others once it is taken out.
/// </summary>
internal static class Cohesion
{
    private const int Most = 80;
    private const int ContentWord = 5;
    private const double Smoothing = 0.003;

    /// <summary>The mean overlap of content words of pairs of <paramref name="rows"/> over that of other rows: 1 is no topic.</summary>
    public static double Of(IReadOnlyList<SampleRow> rows, IReadOnlySet<ulong> without, AnswerCluster answer, Sample sample)
    {
        var others = answer.Kind == AnswerKind.Label ? sample.Rows.Where(r => r.Response.Length <= 2 * answer.Text.Length + 40) : sample.Rows.Where(r => r.Fixed != answer.Key && r.Opening != answer.Key);
        var inside = Sets(rows, without);
        var outside = Sets([.. others], without);
        return outside.Count < 2 ? 1 : (Mean(inside) + Smoothing) / (Mean(outside) + Smoothing);
    }

    private static List<HashSet<ulong>> Sets(IReadOnlyList<SampleRow> rows, IReadOnlySet<ulong> without)
    {
        var (sets, words) = (new List<HashSet<ulong>>(), new List<Word>());
        var seen = new HashSet<ulong>();
        for (var i = 0; i < Math.Min(Most, rows.Count); i++)
        {
            // Evenly over all of them, so that neighbors do not count for the whole.
            Words.Cut(rows[(int)((long)i * rows.Count / Math.Min(Most, rows.Count))].Prompt, words);
            var cut = Features.Inside(words, without);
            var set = words.Where((w, at) => w.Length >= ContentWord && !cut.Contains(at)).Select(w => w.Hash).ToHashSet();
            if (set.Count > 0 && seen.Add(Words.Text(words)))
            {
                sets.Add(set);
            }
        }

        return sets;
    }

    private static double Mean(List<HashSet<ulong>> sets)
    {
        var (sum, n) = (0.0, 0);
        for (var i = 1; i < sets.Count; i++)
        {
            for (var j = 0; j < i; j++, n++)
            {
                var both = sets[i].Count(sets[j].Contains);
                sum += (double)both / (sets[i].Count + sets[j].Count - both);
            }
        }

        return n == 0 ? 0 : sum / n;
    }
}
