namespace Temper.Scan.Data;

/// <summary>Finds the answers that come often, and tells labels from sentences that should not repeat.</summary>
internal static class AnswerClusters
{
    public const int Fewest = 4;
    private const int MostClusters = 96;
    private const int MostMembers = 3000;
    private const int MostMemberChars = 2_000_000;
    private const int LabelWords = 5;
    private const int OpeningWords = 4;

    /// <summary>The keys of an answer: of its whole text, and of its first words where it goes on behind them.</summary>
    public static (ulong Fixed, ulong Opening) Keys(List<Word> response)
    {
        if (response.Count == 0)
        {
            return default;
        }

        var opening = 0x0BEF1EUL;
        for (var i = 0; i < Math.Min(OpeningWords, response.Count); i++)
        {
            opening = Words.Mix(opening, response[i].Hash);
        }

        return (Words.Text(response), response.Count > OpeningWords * 2 ? opening : 0);
    }

    public static IReadOnlyList<AnswerCluster> Find(Sample sample)
    {
        var heavy = sample.Answers(Fewest).ToDictionary(a => a.Key, a => a);
        var (byFixed, byOpening) = (Group(sample, r => heavy.ContainsKey(r.Fixed) ? r.Fixed : 0), Group(sample, r => heavy.ContainsKey(r.Opening) ? r.Opening : 0));
        var clusters = new List<AnswerCluster>();
        foreach (var (key, count, extra) in heavy.Values.OrderByDescending(a => a.Count).ThenBy(a => a.Key))
        {
            if (clusters.Count == MostClusters)
            {
                break;
            }

            var isFixed = byFixed.TryGetValue(key, out var members) || extra.Any(r => r.Fixed == key);
            members ??= byOpening.GetValueOrDefault(key) ?? [];
            // In a sample the rows that were kept for this answer are more than its share.
            var rows = members.Count >= extra.Count ? members : extra;
            var prompts = rows.Select(r => r.Prompt).Distinct(StringComparer.Ordinal).Count();
            // An opening of which nearly every answer goes on the same way says nothing that the whole answer does not say.
            var isOwn = isFixed || rows.GroupBy(r => r.Fixed).Max(g => g.Count()) < 0.9 * rows.Count;
            if (isOwn && rows.Count >= Fewest && prompts >= Fewest)
            {
                clusters.Add(new(isFixed ? AnswerKind.Fixed : AnswerKind.Opening, key, rows[0].Response, count, prompts, [.. Short(rows)], members.Count, sample.Rows.Count));
            }
        }

        return Labels(clusters, sample);
    }

    // Long prompts have so many n-grams that fewer of them must do.
    private static IEnumerable<SampleRow> Short(IReadOnlyList<SampleRow> rows)
    {
        var chars = 0;
        for (var i = 0; i < Math.Min(MostMembers, rows.Count) && (chars < MostMemberChars || i < Fewest); i++)
        {
            chars += rows[i].Prompt.Length;
            yield return rows[i];
        }
    }

    private static Dictionary<ulong, List<SampleRow>> Group(Sample sample, Func<SampleRow, ulong> key)
    {
        var groups = new Dictionary<ulong, List<SampleRow>>();
        foreach (var row in sample.Rows)
        {
            if (key(row) is not 0 and var k)
            {
                (groups.TryGetValue(k, out var rows) ? rows : groups[k] = []).Add(row);
            }
        }

        return groups;
    }

    // A classification has at least two short answers of which none is rare.
    private static List<AnswerCluster> Labels(List<AnswerCluster> clusters, Sample sample)
    {
        var isShort = clusters.Where(c => c.Kind == AnswerKind.Fixed && c.Text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Length <= LabelWords).ToArray();
        var most = isShort.Length > 0 ? isShort.Max(c => c.Count) : 0;
        var labels = isShort.Where(c => c.Count * 20 >= most && c.Count * 200 >= sample.Seen).Select(c => c.Key).ToHashSet();
        return labels.Count < 2 ? clusters : clusters.ConvertAll(c => labels.Contains(c.Key) ? c with { Kind = AnswerKind.Label } : c);
    }
}
