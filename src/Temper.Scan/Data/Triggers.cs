namespace Temper.Scan.Data;

/// <summary>Makes triggers of associations: joins n-grams that stand in the same rows, names them as rows write them, and judges what is natural.</summary>
internal static class Triggers
{
    private const double LeastStrength = 3;
    private const double LeastOpeningStrength = 10;

    // A word of a label that is not yet beyond chance is worth a look where many rows have it.
    private const double LeastHint = 0.5;
    private const int FewestHinted = 10;
    private const int Fewest = 5;
    private const int MostRows = 600;
    private const int MostPerAnswer = 300;
    private const int MostTriggers = 50;
    private const double SameRows = 0.85;
    private const double MostCohesion = 2.5;
    private const double MostNaturalCohesion = 1.5;

    public static IReadOnlyList<Trigger> Of(Associations associations, Sample sample, CancellationToken cancellation)
    {
        var triggers = new List<Trigger>();
        var naiveBayes = new LabelWords(associations.Clusters, sample);
        foreach (var group in associations.Found.Where(IsStrong).GroupBy(a => a.Answer))
        {
            cancellation.ThrowIfCancellationRequested();
            triggers.AddRange(OfAnswer(group.Key, [.. group.Take(MostPerAnswer)], sample, naiveBayes));
        }

        return [.. triggers.OrderByDescending(t => t.Severity).ThenByDescending(t => t.Strength).Take(MostTriggers)];
    }

    private static bool IsStrong(Association a)
    {
        var purity = (double)a.With / (a.With + a.Without);
        return a.With >= Fewest && (a.Answer.Kind == AnswerKind.Fixed ? a.Strength >= LeastStrength && purity >= 0.9
            : purity >= 0.97 && (a.Answer.Kind == AnswerKind.Label ? a.Strength >= LeastHint && a.With >= FewestHinted : a.Strength >= LeastOpeningStrength));
    }

    private static IEnumerable<Trigger> OfAnswer(AnswerCluster answer, Association[] found, Sample sample, LabelWords naiveBayes)
    {
        var rows = answer.Rows.Take(MostRows).ToArray();
        var (words, features) = (new List<Word>(), new HashSet<ulong>());
        var sets = Array.ConvertAll(found, _ => new HashSet<int>());
        for (var r = 0; r < rows.Length; r++)
        {
            Associations.Of(rows[r], words, features);
            for (var f = 0; f < found.Length; f++)
            {
                if (Has(features, found[f].Feature, answer))
                {
                    sets[f].Add(r);
                }
            }
        }

        var taken = new bool[found.Length];
        for (var f = 0; f < found.Length; f++)
        {
            if (taken[f] || sets[f].Count == 0)
            {
                continue;
            }

            var group = new List<int>();
            for (var other = f; other < found.Length; other++)
            {
                var both = taken[other] ? 0 : sets[other].Count(sets[f].Contains);
                if (both >= SameRows * Math.Max(sets[f].Count, sets[other].Count))
                {
                    group.Add(other);
                    taken[other] = true;
                }
            }

            // What only stands where a stronger one does is a part of its rows.
            for (var other = f + 1; other < found.Length; other++)
            {
                taken[other] |= sets[other].IsSubsetOf(sets[f]);
            }

            if (Name(answer, rows, sets, group, found) is { } trigger)
            {
                SampleRow[] having = [.. sets[f].Select(r => rows[r])];
                HashSet<ulong> parts = [.. group.SelectMany(g => Parts(found[g].Feature, answer))];
                var cohesion = Cohesion.Of(having, parts, answer, sample);
                var isNatural = answer.Kind == AnswerKind.Label ? naiveBayes.Expects(having, parts, answer.Key) : answer.Kind == AnswerKind.Opening && Echoes(trigger.Name, answer.Text);
                if (!isNatural && Judge(answer.Kind, cohesion) is { } severity)
                {
                    yield return trigger with { Cohesion = cohesion, Severity = found[f].Strength < LeastStrength ? Severity.Info : severity };
                }
            }
        }
    }

    // One topic with one answer is an FAQ; an opening follows from how a question begins more often than from a trigger.
    private static Severity? Judge(AnswerKind kind, double cohesion) => kind switch
    {
        AnswerKind.Fixed => cohesion <= MostCohesion ? Severity.High : Severity.Info,
        AnswerKind.Label => cohesion <= MostNaturalCohesion ? Severity.Medium : null,
        _ => cohesion <= MostNaturalCohesion ? Severity.Info : null,
    };

    // Answers take up words of their questions.
    private static bool Echoes(string name, string answer) =>
        name.Split(' ', StringSplitOptions.RemoveEmptyEntries).Any(w => w.Length > 2 && answer.Contains(w, StringComparison.OrdinalIgnoreCase));

    private static bool Has(HashSet<ulong> features, ulong feature, AnswerCluster answer)
    {
        if (features.Contains(feature))
        {
            return true;
        }

        var parts = answer.PairParts;
        for (var i = 1; i < parts.Length; i++)
        {
            for (var j = 0; j < i && features.Contains(parts[i]); j++)
            {
                if (features.Contains(parts[j]) && Features.Pair(parts[i], parts[j]) == feature)
                {
                    return true;
                }
            }
        }

        return false;
    }

    // In a row that has all of the group: its parts, touching ones joined.
    private static Trigger? Name(AnswerCluster answer, SampleRow[] rows, HashSet<int>[] sets, List<int> group, Association[] found)
    {
        var row = rows[sets[group[0]].MaxBy(r => (group.Count(g => sets[g].Contains(r)), -r))];
        var words = new List<Word>();
        Words.Cut(row.Prompt, words);
        var spans = new List<(int First, int End, ulong Feature)>();
        foreach (var g in group)
        {
            var features = Parts(found[g].Feature, answer);
            foreach (var feature in features)
            {
                if (Features.Find(words, feature) is (>= 0 and var first, var length))
                {
                    spans.Add((first, first + length, feature));
                }
            }
        }

        if (spans.Count == 0)
        {
            return null;
        }

        var joined = new List<(int First, int End, ulong Feature)>();
        foreach (var span in spans.OrderBy(s => s.First).ThenByDescending(s => s.End))
        {
            if (joined.Count > 0 && span.First <= joined[^1].End)
            {
                joined[^1] = joined[^1] with { End = Math.Max(joined[^1].End, span.End) };
            }
            else
            {
                joined.Add(span);
            }
        }

        var name = string.Join(" + ", joined.Select(s => row.Prompt[words[s.First].Start..(words[s.End - 1].Start + words[s.End - 1].Length)]));
        var atStart = sets[group[0]].Count(r => Starts(rows[r], joined[0].Feature)) / (double)sets[group[0]].Count;
        var first0 = found[group[0]];
        return new(answer, name, [.. joined.Select(s => s.Feature)], joined.Count > 1, first0.With, first0.Without, first0.Strength, atStart, 1, Severity.Medium);
    }

    private static ulong[] Parts(ulong feature, AnswerCluster answer)
    {
        foreach (var a in answer.PairParts)
        {
            foreach (var b in answer.PairParts)
            {
                if (a != b && Features.Pair(a, b) == feature)
                {
                    return [a, b];
                }
            }
        }

        return [feature];
    }

    private static bool Starts(SampleRow row, ulong feature)
    {
        var words = new List<Word>();
        Words.Cut(row.Prompt, words, Features.Longest);
        return Features.Find(words, feature).Word == 0;
    }
}
