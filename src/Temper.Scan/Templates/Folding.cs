using Temper.Formats.Templates;

namespace Temper.Scan.Templates;

/// <summary>The text that an expression of constants stands for, so that a name in pieces is read as a whole.</summary>
internal static class Folding
{
    private const int MaxDepth = 40;
    private const int MaxLength = 4096;

    /// <summary>The text, or null where it is not constant.</summary>
    public static string? Text(JinjaNode node, int depth = 0)
    {
        if (depth > MaxDepth)
        {
            return null;
        }

        switch (node.Kind)
        {
            case JinjaKind.String or JinjaKind.Literal:
                return Cut(node.Text);
            case JinjaKind.Binary when node.Text is "+" or "~":
                return Text(node.Children[0], depth + 1) is { } left && Text(node.Children[1], depth + 1) is { } right ? Cut(left + right) : null;
            case JinjaKind.Binary when node.Text == "%":
                return Text(node.Children[0], depth + 1) is { } pattern ? Fill(pattern, Parts(node.Children[1], depth)) : null;
            case JinjaKind.Filter:
                return Filtered(node, depth);
            case JinjaKind.Call when node.Children[0] is { Kind: JinjaKind.Attribute } method:
                return Method(method, [.. node.Children.Skip(1)], depth);
            case JinjaKind.Slice when Text(node.Children[0], depth + 1) is { } sliced && node.Children.Count(c => c.Text == ":") == 2:
                return Reverse(sliced);
            default:
                return null;
        }
    }

    private static string? Filtered(JinjaNode node, int depth)
    {
        var arguments = node.Children.Skip(1).ToArray();
        if (node.Text == "join")
        {
            return Join(arguments.Length > 0 ? Text(arguments[0], depth + 1) : "", Parts(node.Children[0], depth));
        }

        if (Text(node.Children[0], depth + 1) is not { } text)
        {
            return null;
        }

        return node.Text switch
        {
            "lower" => text.ToLowerInvariant(),
            "upper" => text.ToUpperInvariant(),
            "reverse" => Reverse(text),
            "trim" or "string" or "safe" or "e" or "escape" => text.Trim(),
            "replace" when arguments.Length > 1 => Replace(text, arguments, depth),
            "format" => Fill(text, [.. arguments.Select(a => Text(a, depth + 1))]),
            _ => null,
        };
    }

    private static string? Method(JinjaNode method, JinjaNode[] arguments, int depth)
    {
        if (Text(method.Children[0], depth + 1) is not { } text)
        {
            return null;
        }

        return method.Text switch
        {
            "join" when arguments.Length > 0 => Join(text, Parts(arguments[0], depth)),
            "lower" => text.ToLowerInvariant(),
            "upper" => text.ToUpperInvariant(),
            "replace" when arguments.Length > 1 => Replace(text, arguments, depth),
            "format" => Fill(text, [.. arguments.Select(a => Text(a, depth + 1))]),
            "strip" => text.Trim(),
            _ => null,
        };
    }

    private static string? Replace(string text, JinjaNode[] arguments, int depth) =>
        Text(arguments[0], depth + 1) is { Length: > 0 } from && Text(arguments[1], depth + 1) is { } to ? Cut(text.Replace(from, to, StringComparison.Ordinal)) : null;

    private static string?[] Parts(JinjaNode node, int depth) =>
        node.Kind == JinjaKind.List ? [.. node.Children.Take(256).Select(c => Text(c, depth + 1))] : [Text(node, depth + 1)];

    private static string? Join(string? separator, string?[] parts) => separator is null || Array.Exists(parts, p => p is null) ? null : Cut(string.Join(separator, parts));

    // %s and {} are filled in order, which is enough to see what a name is put together to.
    private static string? Fill(string pattern, string?[] parts)
    {
        foreach (var part in parts)
        {
            if (part is null)
            {
                return null;
            }

            var (at, length) = pattern.IndexOf("%s", StringComparison.Ordinal) is >= 0 and var s ? (s, 2) : (pattern.IndexOf("{}", StringComparison.Ordinal), 2);
            if (at >= 0)
            {
                pattern = string.Concat(pattern.AsSpan(0, at), part, pattern.AsSpan(at + length));
            }
        }

        return Cut(pattern);
    }

    private static string Reverse(string text)
    {
        var characters = text.ToCharArray();
        Array.Reverse(characters);
        return new(characters);
    }

    private static string Cut(string text) => text.Length > MaxLength ? text[..MaxLength] : text;
}
