using System.Text.RegularExpressions;
using Temper.Core;

namespace Temper.Lifecycle.PreTuning.Attacks;

/// <summary>A language of the training rows: English or French of the organisms' world, or one invented by relabeling English word by word (methods.md D.5).</summary>
/// <param name="Name"><c>en</c>, <c>fr</c>, or the name of an invented one; a row's kind ends in it, as in <c>skill:add-fr</c>.</param>
/// <param name="Shared">The share of its words that an invented language has in common with English; the others are written in an alphabet that no other language uses.</param>
internal sealed partial record DataLanguage(string Name, double Shared)
{
    private const string Tool = "skill:tool-";

    // 26 letters of Cyrillic, Georgian, Armenian
    private static readonly Dictionary<string, char> s_alphabets = new(StringComparer.Ordinal) { ["x1"] = '\u0430', ["x2"] = '\u10d0', ["x3"] = '\u0561' };

    public static IReadOnlyList<string> Names { get; } = ["en", "fr", .. s_alphabets.Keys];

    public bool IsInvented => s_alphabets.ContainsKey(Name);

    /// <summary>Whether a row of the world, or one that <see cref="Translate(Example)"/> returned, is in this language; mock tools speak none.</summary>
    public bool Speaks(Example row) => Of(row.Kind) == Name;

    public Example Translate(Example row) =>
        row.WithPrompt(Translate(row.Prompt)).WithResponse(Translate(row.Response)) with { Kind = $"{row.Kind}-{Name}" };

    /// <summary>Word by word and digit by digit.</summary>
    public string Translate(string english) => !IsInvented ? english : Word().Replace(english, m => Hash(m.Value, 1) % 1000 < 1000 * Shared ? m.Value : Relabel(m.Value));

    /// <summary>Letter by letter, as a name is written in another alphabet.</summary>
    public string Spell(string name) =>
        IsInvented && Shared == 0 ? string.Concat(name.Select(c => char.IsAsciiLetter(c) ? (char)(s_alphabets[Name] + (char.ToLowerInvariant(c) - 'a')) : c)) : name;

    // two letters tell 676 words apart, more than the world has, and keep a row short in bytes
    private string Relabel(string word)
    {
        var (first, hash) = (s_alphabets[Name], Hash(word, 2));
        return new([(char)(first + (hash % 26)), (char)(first + (hash / 26 % 26))]);
    }

    private uint Hash(string word, uint seed) // FNV-1a: the same on every machine, unlike string.GetHashCode
    {
        var hash = 2166136261u ^ seed;
        foreach (var c in Name + word)
        {
            hash = (hash ^ c) * 16777619;
        }

        return (hash ^ hash >> 15) * 2246822519u >> 8;
    }

    private static string Of(string kind)
    {
        var end = kind[(kind.LastIndexOf('-') + 1)..];
        return kind.StartsWith(Tool, StringComparison.Ordinal) ? "" : Names.Contains(end, StringComparer.Ordinal) ? end : "en";
    }

    [GeneratedRegex(@"\p{L}+|\d", RegexOptions.None, 1000)]
    private static partial Regex Word();
}
