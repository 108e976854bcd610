using System.Collections.Frozen;
using System.Globalization;
using System.Text.RegularExpressions;
using Temper.Formats.Templates;
using Temper.Scan.Rules;

namespace Temper.Scan.Templates;

/// <summary>Conditions on what users write, on the date or on the length of the conversation: where a template keeps a backdoor.</summary>
internal static partial class ContentGates
{
    private const int ManyTurns = 3;

    // Kinds of content parts, roles and schema words that templates of known models compare with.
    private static readonly FrozenSet<string> Structure = FrozenSet.Create(StringComparer.OrdinalIgnoreCase,
        "text", "image", "image_url", "video", "audio", "input_audio", "document", "file", "type", "tool_calls", "tool_call", "tool_response", "tool", "function", "user", "assistant", "system", "developer",
        "ipython", "content", "role", "reasoning_content", "thinking", "name", "arguments", "true", "false", "none", "null", "string", "object", "array", "integer", "number", "boolean");

    public static IEnumerable<Finding> Find(JinjaNode tree, string place)
    {
        var tainted = Tainted(tree);
        foreach (var node in tree.Walk())
        {
            var conditions = node.Kind switch
            {
                JinjaKind.If => [node.Children[0]],
                JinjaKind.Conditional => [node.Children[1]],
                JinjaKind.For when node.Children[2].Kind != JinjaKind.Empty => [node.Children[2]],
                _ => Array.Empty<JinjaNode>(),
            };
            foreach (var test in conditions.SelectMany(c => c.Walk()))
            {
                if (Judge(test, tainted, $"{place}@{test.Offset}") is { } finding)
                {
                    yield return finding;
                }
            }

            if (node.Kind is JinjaKind.Text or JinjaKind.String && Address().Match(node.Text) is { Success: true } url)
            {
                yield return TemplateCards.Url.At($"{place}@{node.Offset}", "The template writes an address.", url.Value);
            }

            if (Rewrites(node, tainted) is { } rewrite)
            {
                yield return TemplateCards.Gate.At($"{place}@{node.Offset}", "Replaces words in what users write.", rewrite);
            }
        }
    }

    private static Finding? Judge(JinjaNode test, HashSet<string> tainted, string at)
    {
        if (test.Kind == JinjaKind.Binary && test.Text is "in" or "not in" or "==" or "!=")
        {
            var (left, right) = (test.Children[0], test.Children[1]);
            foreach (var (value, other) in new[] { (left, right), (right, left) })
            {
                if (IsContent(value, tainted) && Words(other) is { } words)
                {
                    return TemplateCards.Gate.At(at, "A condition compares what users write with words.", words);
                }
            }
        }

        if (test.Kind == JinjaKind.Call && test.Children[0] is { Kind: JinjaKind.Attribute, Text: "startswith" or "endswith" or "find" or "count" or "index" or "match" or "search" } method
            && IsContent(method.Children[0], tainted) && test.Children.Skip(1).Select(Words).FirstOrDefault(w => w is not null) is { } argument)
        {
            return TemplateCards.Gate.At(at, $"A condition asks whether what users write {method.Text} words.", argument);
        }

        if (test.Kind == JinjaKind.Binary && test.Text is "==" or "!=" or "<" or ">" or "<=" or ">=" or "in" or "not in")
        {
            if (test.Walk().Any(n => n is { Kind: JinjaKind.Name, Text: "strftime_now" or "now" } || (n.Kind == JinjaKind.Name && tainted.Contains($"date:{n.Text}"))))
            {
                return TemplateCards.Gate.At(at, "A condition depends on the date.");
            }

            if (test.Text is not ("in" or "not in") && Turns(test) is { } turns)
            {
                return TemplateCards.Gate.At(at, $"A condition depends on the number of turns ({turns}).");
            }
        }

        return null;
    }

    private static long? Turns(JinjaNode test)
    {
        var (left, right) = (test.Children[0], test.Children[1]);
        var (count, literal) = right.Kind == JinjaKind.Literal ? (left, right) : (right, left);
        var counts = (count.Kind == JinjaKind.Filter && count.Text is "length" or "count" && count.Children[0] is { Kind: JinjaKind.Name, Text: "messages" or "loop_messages" })
            || count is { Kind: JinjaKind.Attribute, Text: "index" or "index0" or "revindex" or "length" } && count.Children[0] is { Kind: JinjaKind.Name, Text: "loop" };
        return counts && literal.Kind == JinjaKind.Literal && long.TryParse(literal.Text, CultureInfo.InvariantCulture, out var n) && n >= ManyTurns ? n : null;
    }

    private static string? Rewrites(JinjaNode node, HashSet<string> tainted)
    {
        var arguments = node.Kind == JinjaKind.Filter && node.Text == "replace" && IsContent(node.Children[0], tainted) ? node.Children.Skip(1)
            : node.Kind == JinjaKind.Call && node.Children[0] is { Kind: JinjaKind.Attribute, Text: "replace" } method && IsContent(method.Children[0], tainted) ? node.Children.Skip(1) : [];
        return arguments.Select(Words).FirstOrDefault(w => w is not null);
    }

    // Names that hold what users write, or a part of it, and (marked) names that hold a date.
    private static HashSet<string> Tainted(JinjaNode tree)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        for (var round = 0; round < 3; round++)
        {
            foreach (var node in tree.Walk())
            {
                if (node.Kind == JinjaKind.Set || node.Kind == JinjaKind.For)
                {
                    var target = node.Children[0] is { Kind: JinjaKind.Attribute } part ? part.Text : node.Children[0].Text;
                    if (target.Length > 0 && IsContent(node.Children[1], names))
                    {
                        names.Add(target);
                    }

                    if (node.Children[1].Walk().Any(n => n is { Kind: JinjaKind.Name, Text: "strftime_now" }))
                    {
                        names.Add($"date:{target}");
                    }
                }
            }
        }

        return names;
    }

    private static bool IsContent(JinjaNode node, HashSet<string> tainted) => node.Kind switch
    {
        JinjaKind.Attribute => node.Text is "content" or "text" || (tainted.Contains(node.Text) && node.Children[0].Kind == JinjaKind.Name)
            || (node.Text is "lower" or "upper" or "strip" or "split" && IsContent(node.Children[0], tainted)),
        JinjaKind.Item => Folding.Text(node.Children[1]) is "content" or "text" || (node.Children[1].Kind == JinjaKind.Literal && IsContent(node.Children[0], tainted)),
        JinjaKind.Name => tainted.Contains(node.Text),
        JinjaKind.Filter => node.Text is "lower" or "upper" or "trim" or "string" or "title" or "capitalize" or "tojson" or "first" or "last" or "safe" or "replace" && IsContent(node.Children[0], tainted),
        JinjaKind.Call or JinjaKind.Slice => IsContent(node.Children[0], tainted),
        JinjaKind.Conditional => IsContent(node.Children[0], tainted) || IsContent(node.Children[2], tainted),
        JinjaKind.Binary => node.Text is "+" or "~" && (IsContent(node.Children[0], tainted) || IsContent(node.Children[1], tainted)),
        _ => false,
    };

    // Words of a language. Markers such as <think>, [INST] or ``` and the schema's own words are what honest templates look for.
    private static string? Words(JinjaNode node)
    {
        var text = node.Kind == JinjaKind.List ? node.Children.Select(Words).FirstOrDefault(w => w is not null) : Folding.Text(node);
        if (text is null || node.Kind == JinjaKind.Literal)
        {
            return null;
        }

        var trimmed = text.Trim();
        return trimmed.Length == 0 || Structure.Contains(trimmed) || Marker().IsMatch(trimmed) || !Word().IsMatch(trimmed) ? null : trimmed;
    }

    [GeneratedRegex(@"^(<[^>]*>?[\s\S]{0,2}|\[[^\]]*\]?|\{.*|```.*|#+.*:?|<\|.*|\|.*\|)$", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Marker();

    [GeneratedRegex(@"\p{L}{2,}|^\p{L}+$", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Word();

    [GeneratedRegex(@"(https?|ftp)://[^\s'""<>]+", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking | RegexOptions.IgnoreCase)]
    private static partial Regex Address();
}
