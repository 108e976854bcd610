using System.Globalization;
using System.Text;

namespace Temper.Formats.Templates;

/// <summary>The methods of Python's texts, dictionaries and lists that templates call; none changes its owner.</summary>
internal static class JinjaMethods
{
    public static JinjaFunction? Of(JinjaDict dict, string name) => name switch
    {
        "items" => (_, _) => dict.Values.Select(p => (object?)new List<object?> { p.Key, p.Value }).ToList(),
        "keys" => (_, _) => dict.Values.Keys.Select(k => (object?)k).ToList(),
        "values" => (_, _) => dict.Values.Values.ToList(),
        "copy" => (_, _) => dict,
        "get" => (a, _) => a.Count > 0 && a[0] is string key && dict.Values.TryGetValue(key, out var value) ? value : a.Count > 1 ? a[1] : null,
        _ => null,
    };

    public static JinjaFunction? Of(List<object?> list, string name) => name switch
    {
        "index" => (a, _) => list.FindIndex(i => JinjaValues.Equals(i, a.Count > 0 ? a[0] : null)) is >= 0 and var at ? (long)at : throw new JinjaRenderException(0, "index of what the list does not hold"),
        "count" => (a, _) => (long)list.Count(i => JinjaValues.Equals(i, a.Count > 0 ? a[0] : null)),
        "copy" => (_, _) => list.ToList(),
        "append" or "extend" or "insert" or "pop" or "remove" or "clear" or "sort" or "reverse" => throw new JinjaRenderException(0, $"{name} would change a list, which the sandbox forbids"),
        _ => null,
    };

    /// <param name="made">Counts what is made.</param>
    public static JinjaFunction? Of(string text, string name, Func<string, long, string> made) => name switch
    {
        "strip" => (a, _) => Strip(text, a, true, true),
        "lstrip" => (a, _) => Strip(text, a, true, false),
        "rstrip" => (a, _) => Strip(text, a, false, true),
        "upper" => (_, _) => text.ToUpperInvariant(),
        "lower" => (_, _) => text.ToLowerInvariant(),
        "title" => (_, _) => Title(text),
        "capitalize" => (_, _) => Capitalize(text),
        "startswith" => (a, _) => Any(a, p => text.StartsWith(p, StringComparison.Ordinal)),
        "endswith" => (a, _) => Any(a, p => text.EndsWith(p, StringComparison.Ordinal)),
        "removeprefix" => (a, _) => text.StartsWith(Text(a, 0), StringComparison.Ordinal) ? text[Text(a, 0).Length..] : text,
        "removesuffix" => (a, _) => Text(a, 0) is { Length: > 0 } s && text.EndsWith(s, StringComparison.Ordinal) ? text[..^s.Length] : text,
        "find" => (a, _) => (long)text.IndexOf(Text(a, 0), StringComparison.Ordinal),
        "rfind" => (a, _) => (long)text.LastIndexOf(Text(a, 0), StringComparison.Ordinal),
        "count" => (a, _) => Text(a, 0) is { Length: > 0 } part ? text.Split(part).LongLength - 1 : text.Length + 1L,
        "replace" => (a, _) => Replace(text, Text(a, 0), Text(a, 1), a.Count > 2 ? (long)JinjaValues.Number(a[2])!.Value : -1, made),
        "split" => (a, n) => Split(text, a, n, fromRight: false),
        "rsplit" => (a, n) => Split(text, a, n, fromRight: true),
        "splitlines" => (_, _) => Lines(text),
        "join" => (a, _) => Join(text, a, made),
        "isdigit" or "isnumeric" or "isdecimal" => (_, _) => text.Length > 0 && text.All(char.IsDigit),
        "isalpha" => (_, _) => text.Length > 0 && text.All(char.IsLetter),
        "isalnum" => (_, _) => text.Length > 0 && text.All(char.IsLetterOrDigit),
        "isspace" => (_, _) => text.Length > 0 && text.All(char.IsWhiteSpace),
        "isupper" => (_, _) => text.Any(char.IsUpper) && !text.Any(char.IsLower),
        "islower" => (_, _) => text.Any(char.IsLower) && !text.Any(char.IsUpper),
        _ => null,
    };

    public static string Capitalize(string text) => text.Length == 0 ? text : char.ToUpperInvariant(text[0]) + text[1..].ToLowerInvariant();

    public static string Title(string text)
    {
        var result = new StringBuilder(text.Length);
        var inWord = false;
        foreach (var c in text)
        {
            result.Append(inWord ? char.ToLowerInvariant(c) : char.ToUpperInvariant(c));
            inWord = char.IsLetter(c);
        }

        return result.ToString();
    }

    public static string Strip(string text, IReadOnlyList<object?> arguments, bool left, bool right)
    {
        var set = arguments.Count > 0 && arguments[0] is string s ? s.ToCharArray() : null;
        text = left ? set is null ? text.TrimStart() : text.TrimStart(set) : text;
        return right ? set is null ? text.TrimEnd() : text.TrimEnd(set) : text;
    }

    public static string Replace(string text, string old, string replacement, long times, Func<string, long, string> made)
    {
        if (times < 0)
        {
            var matches = old.Length == 0 ? text.Length + 1L : text.Split(old).LongLength - 1;
            made("", text.Length + (matches * replacement.Length));
            return old.Length == 0 ? replacement + string.Concat(text.Select(c => c + replacement)) : text.Replace(old, replacement, StringComparison.Ordinal);
        }

        var result = new StringBuilder();
        var from = 0;
        for (var at = old.Length == 0 ? -1 : text.IndexOf(old, StringComparison.Ordinal); at >= 0 && times-- > 0; at = text.IndexOf(old, from, StringComparison.Ordinal))
        {
            result.Append(text, from, at - from).Append(replacement);
            from = at + old.Length;
        }

        result.Append(text, from, text.Length - from);
        return made(result.ToString(), result.Length);
    }

    public static string Text(IReadOnlyList<object?> arguments, int at) =>
        at < arguments.Count && arguments[at] is string s ? s : throw new JinjaRenderException(0, $"argument {at + 1}, which is no text");

    private static bool Any(IReadOnlyList<object?> arguments, Func<string, bool> test) =>
        arguments.Count > 0 && arguments[0] is List<object?> list ? list.OfType<string>().Any(test) : test(Text(arguments, 0));

    private static string Join(string text, IReadOnlyList<object?> arguments, Func<string, long, string> made)
    {
        var parts = (arguments.Count > 0 ? arguments[0] as List<object?> : null)?.Select(i => i as string ?? throw new JinjaRenderException(0, "join of what is no text")).ToList()
            ?? throw new JinjaRenderException(0, "join of what is no list");
        made("", parts.Sum(p => (long)p.Length + text.Length));
        return string.Join(text, parts);
    }

    private static List<object?> Lines(string text)
    {
        var lines = text.Replace("\r\n", "\n", StringComparison.Ordinal).Split('\n', '\r');
        return [.. lines.Take(lines[^1].Length == 0 ? lines.Length - 1 : lines.Length)];
    }

    private static List<object?> Split(string text, IReadOnlyList<object?> arguments, IReadOnlyDictionary<string, object?> named, bool fromRight)
    {
        var separator = (arguments.Count > 0 ? arguments[0] : named.GetValueOrDefault("sep")) as string;
        var most = JinjaValues.Number(arguments.Count > 1 ? arguments[1] : named.GetValueOrDefault("maxsplit")) is >= 0 and var n ? (int)Math.Min(n, int.MaxValue - 1) : -1;
        if (separator is null)
        {
            var words = text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            return most < 0 || words.Length <= most + 1 ? [.. words] : [.. text.TrimStart().Split((char[]?)null, most + 1, StringSplitOptions.RemoveEmptyEntries)];
        }

        if (separator.Length == 0)
        {
            throw new JinjaRenderException(0, "a split at nothing");
        }

        var parts = text.Split(separator);
        if (most < 0 || parts.Length <= most + 1)
        {
            return [.. parts];
        }

        return fromRight
            ? [string.Join(separator, parts[..^most]), .. parts[^most..]]
            : [.. parts[..most], string.Join(separator, parts[most..])];
    }
}
