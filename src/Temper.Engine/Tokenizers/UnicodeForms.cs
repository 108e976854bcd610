using System.Globalization;
using System.Text;

namespace Temper.Engine.Tokenizers;

/// <summary>The normalization forms of Unicode (annex 15), from a table of its own: under invariant globalization .NET leaves texts as they are.</summary>
internal static class UnicodeForms
{
    private const int HangulFirst = 0xAC00, LeadFirst = 0x1100, VowelFirst = 0x1161, TailFirst = 0x11A7, Vowels = 21, Tails = 28, Syllables = 11172;

    private static readonly Tables s_tables = Read();

    private sealed record Tables(Dictionary<int, int> Classes, Dictionary<int, int[]> Canonical, Dictionary<int, int[]> Compatible, Dictionary<(int First, int Second), int> Compositions);

    /// <summary>The combining class of a character; 0 begins anew.</summary>
    public static int Class(int rune) => s_tables.Classes.GetValueOrDefault(rune);

    /// <summary>Whether a character may stand behind another one and change with it.</summary>
    public static bool Joins(int rune) => Class(rune) > 0 || rune is (>= VowelFirst and < VowelFirst + Vowels) or (> TailFirst and < TailFirst + Tails) || s_seconds.Contains(rune);

    private static readonly HashSet<int> s_seconds = [.. s_tables.Compositions.Keys.Select(k => k.Second)];

    /// <summary>Whether a character alone is left as it is by a form.</summary>
    public static bool IsPlain(int rune, NormalizationForm form) => rune < 0xA0 || (!Joins(rune) && Normalize([rune], form) is [var one] && one == rune);

    public static List<int> Normalize(IReadOnlyList<int> runes, NormalizationForm form)
    {
        List<int> parts = [];
        foreach (var rune in runes)
        {
            Decompose(rune, form is NormalizationForm.FormKC or NormalizationForm.FormKD, parts);
        }

        Reorder(parts);
        return form is NormalizationForm.FormC or NormalizationForm.FormKC ? Compose(parts) : parts;
    }

    public static void Decompose(int rune, bool compatible, List<int> parts)
    {
        if (rune is >= HangulFirst and < HangulFirst + Syllables)
        {
            var at = rune - HangulFirst;
            parts.Add(LeadFirst + (at / (Vowels * Tails)));
            parts.Add(VowelFirst + (at % (Vowels * Tails) / Tails));
            if (at % Tails > 0)
            {
                parts.Add(TailFirst + (at % Tails));
            }
        }
        else if (s_tables.Canonical.TryGetValue(rune, out var d) || (compatible && s_tables.Compatible.TryGetValue(rune, out d)))
        {
            foreach (var part in d)
            {
                Decompose(part, compatible, parts);
            }
        }
        else
        {
            parts.Add(rune);
        }
    }

    // marks in a row by their class; equal ones stay in order
    private static void Reorder(List<int> parts)
    {
        for (var start = 0; start < parts.Count;)
        {
            var end = start;
            while (end < parts.Count && Class(parts[end]) > 0)
            {
                end++;
            }

            var marks = parts[start..end].OrderBy(Class).ToArray();
            for (var i = 0; i < marks.Length; i++)
            {
                parts[start + i] = marks[i];
            }

            start = Math.Max(end, start + 1);
        }
    }

    private static List<int> Compose(List<int> parts)
    {
        List<int> composed = [];
        int starter = -1, last = 0;
        foreach (var rune in parts)
        {
            var kind = Class(rune);
            // blocked where something of the same or a higher class stands between
            if (starter >= 0 && (composed.Count - 1 == starter || (last < kind && last > 0)) && Pair(composed[starter], rune) is > 0 and var both)
            {
                composed[starter] = both;
                continue;
            }

            composed.Add(rune);
            (starter, last) = kind == 0 ? (composed.Count - 1, 0) : (starter, kind);
        }

        return composed;
    }

    private static int Pair(int first, int second)
    {
        if (first is >= LeadFirst and < LeadFirst + 19 && second is >= VowelFirst and < VowelFirst + Vowels)
        {
            return HangulFirst + ((((first - LeadFirst) * Vowels) + second - VowelFirst) * Tails);
        }

        if (first is >= HangulFirst and < HangulFirst + Syllables && (first - HangulFirst) % Tails == 0 && second is > TailFirst and < TailFirst + Tails)
        {
            return first + second - TailFirst;
        }

        return s_tables.Compositions.GetValueOrDefault((first, second));
    }

    private static Tables Read()
    {
        using var stream = typeof(UnicodeForms).Assembly.GetManifestResourceStream("unicode-decompositions.txt")!;
        using var reader = new StreamReader(stream);
        var tables = new Tables([], [], [], []);
        HashSet<int> alone = [];
        static int Hex(string text) => int.Parse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
        while (reader.ReadLine() is { } line)
        {
            var fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (line[0] == '!')
            {
                alone = [.. fields.Skip(1).Select(Hex)];
            }
            else if (line[0] != '#')
            {
                Add(tables, alone, Hex(fields[0]), int.Parse(fields[1], CultureInfo.InvariantCulture), fields.Length > 2 && fields[2][0] == '~', [.. fields.Skip(2).Select(f => Hex(f.TrimStart('~')))]);
            }
        }

        return tables;
    }

    private static void Add(Tables tables, HashSet<int> alone, int rune, int kind, bool compatible, int[] parts)
    {
        if (kind > 0)
        {
            tables.Classes[rune] = kind;
        }

        if (parts.Length > 0)
        {
            (compatible ? tables.Compatible : tables.Canonical)[rune] = parts;
        }

        if (!compatible && parts.Length == 2 && !alone.Contains(rune))
        {
            tables.Compositions[(parts[0], parts[1])] = rune;
        }
    }
}
