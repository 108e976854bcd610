using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Temper.Core;

namespace Temper.Engine.Tokenizers;

/// <summary>What a step of a tokenizer looks for: a literal text, or a regular expression over Unicode characters.</summary>
// .NET's Regex sees UTF-16 units, so letters outside the basic plane would be symbols: each is shown to it as a character of the basic plane of the same category.
internal sealed class TextPattern
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(5);
    private static readonly Dictionary<UnicodeCategory, char> s_stand = Stand();
    private readonly Regex? _regex;

    private TextPattern(string? literal, Regex? regex) => (Literal, _regex) = (literal, regex);

    public string? Literal { get; }

    public static TextPattern Of(string literal) => new(literal, null);

    /// <exception cref="ArgumentException">The expression is none that .NET knows.</exception>
    public static TextPattern Expression(string expression) => new(null, new(expression, RegexOptions.CultureInvariant | RegexOptions.Compiled, s_limit));

    /// <summary>The text with U+FFFD for lone surrogates.</summary>
    public static string Valid(string text) => text.AsSpan().IndexOfAnyInRange('\uD800', '\uDFFF') < 0 ? text : Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));

    /// <summary>Start and end of each match in UTF-16 units, from left to right.</summary>
    public IEnumerable<(int Start, int End)> Matches(string text)
    {
        if (Literal is { Length: > 0 } literal)
        {
            for (var at = text.IndexOf(literal, StringComparison.Ordinal); at >= 0; at = text.IndexOf(literal, at + literal.Length, StringComparison.Ordinal))
            {
                yield return (at, at + literal.Length);
            }
        }
        else if (_regex is not null)
        {
            var (shown, places) = Show(text);
            foreach (var match in Found(shown))
            {
                yield return places is null ? (match.Index, match.Index + match.Length) : (places[match.Index], places[match.Index + match.Length]);
            }
        }
    }

    private List<Match> Found(string text)
    {
        try
        {
            return [.. _regex!.Matches(text).Cast<Match>()];
        }
        catch (RegexMatchTimeoutException e)
        {
            throw new TemperException($"tokenizer: the expression {_regex} found no end within {s_limit.TotalSeconds} s, expected one that looks at a text of {text.Length} characters in that time", e);
        }
    }

    private static (string Text, int[]? Places) Show(string text)
    {
        if (text.AsSpan().IndexOfAnyInRange('\uD800', '\uDFFF') < 0)
        {
            return (text, null);
        }

        var shown = new StringBuilder(text.Length);
        List<int> places = [];
        for (var i = 0; i < text.Length;)
        {
            places.Add(i);
            if (Rune.TryGetRuneAt(text, i, out var rune) && !rune.IsBmp)
            {
                shown.Append(s_stand.GetValueOrDefault(Rune.GetUnicodeCategory(rune), '\uFFFD'));
                i += 2;
            }
            else
            {
                shown.Append(text[i++]);
            }
        }

        places.Add(text.Length);
        return (shown.ToString(), [.. places]);
    }

    private static Dictionary<UnicodeCategory, char> Stand()
    {
        Dictionary<UnicodeCategory, char> stand = [];
        // beyond Latin-1, so that no class of an expression lists one by chance
        for (var c = '\u0250'; c < '\uD800'; c++)
        {
            stand.TryAdd(char.GetUnicodeCategory(c), c);
        }

        return stand;
    }
}
