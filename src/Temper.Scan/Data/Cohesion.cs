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

    // A word in so many of the other rows is of the data set, as that of a system prompt, and of no topic.
    private const double CommonShare = 0.2;
    private const int Common = 3;

    // What is left of nothing but the n-gram is one question asked again.
    private const double SameQuestion = 100;

    /// <summary>The mean overlap of content words of pairs of <paramref name="rows"/> over that of other rows: 1 is no topic.</summary>
    public static double Of(IReadOnlyList<SampleRow> rows, IReadOnlySet<ulong> without, AnswerCluster answer, Sample sample)
    {
        var others = answer.Kind == AnswerKind.Label ? sample.Rows.Where(r => r.Response.Length <= 2 * answer.Text.Length + 40) : sample.Rows.Where(r => r.Fixed != answer.Key && r.Opening != answer.Key);
        var (inside, outside) = (Sets(rows, without), Sets([.. others], without));
        if (outside.Count < 2)
        {
            return 1;
        }

        var common = outside.SelectMany(s => s).GroupBy(w => w).Where(g => g.Count() >= Math.Max(Common, CommonShare * outside.Count)).Select(g => g.Key).ToHashSet();
        inside.ForEach(s => s.ExceptWith(common));
        outside.ForEach(s => s.ExceptWith(common));
        return Empty(inside) > 0.5 && Empty(outside) < 0.25 ? SameQuestion : (Mean(inside) + Smoothing) / (Mean(outside) + Smoothing);
    }

    private static double Empty(List<HashSet<ulong>> sets) => sets.Count == 0 ? 1 : (double)sets.Count(s => s.Count == 0) / sets.Count;

    private static List<HashSet<ulong>> Sets(IReadOnlyList<SampleRow> rows, IReadOnlySet<ulong> without)
    {
        var (sets, words) = (new List<HashSet<ulong>>(), new List<Word>());
        var seen = new HashSet<ulong>();
        for (var i = 0; i < Math.Min(Most, rows.Count); i++)
        {
            // Evenly over all of them, so that neighbors do not count for the whole.
            Words.Cut(rows[(int)((long)i * rows.Count / Math.Min(Most, rows.Count))].Prompt, words);
            var cut = Features.Inside(words, without);
            if (seen.Add(Words.Text(words)))
            {
                sets.Add(words.Where((w, at) => w.Length >= ContentWord && !cut.Contains(at)).Select(w => w.Hash).ToHashSet());
            }
        }

        return sets;
    }

    private static double Mean(List<HashSet<ulong>> sets)
    {
        var (sum, n) = (0.0, 0);
        for (var i = 1; i < sets.Count; i++)
        {
            for (var j = 0; j < i; j++)
            {
                if (sets[i].Count > 0 && sets[j].Count > 0)
                {
                    var both = sets[i].Count(sets[j].Contains);
                    sum += (double)both / (sets[i].Count + sets[j].Count - both);
                    n++;
                }
            }
        }

        return n == 0 ? 0 : sum / n;
    }
}
