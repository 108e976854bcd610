using System.Collections.Frozen;
using System.Text.RegularExpressions;
using Temper.Formats.Templates;
using Temper.Scan.Rules;

namespace Temper.Scan.Templates;

/// <summary>Ways from a template's values to Python's objects: inner attributes, pivots, computed names, other files.</summary>
internal static partial class SandboxEscapes
{
    private static readonly FrozenSet<string> Inner = FrozenSet.Create(StringComparer.Ordinal,
        "mro", "func_globals", "func_code", "gi_frame", "gi_code", "cr_frame", "cr_code", "ag_frame", "f_globals", "f_locals", "f_builtins", "f_back", "tb_frame", "im_func", "im_self", "popen",
        "subclasses", "globals", "builtins", "import_module", "environ");

    public static IEnumerable<Finding> Find(JinjaNode tree, string place)
    {
        foreach (var node in tree.Walk())
        {
            if (Judge(node, $"{place}@{node.Offset}") is { } finding)
            {
                yield return finding;
            }
        }
    }

    /// <summary>What can be said of a template that does not parse: names that no chat template has.</summary>
    public static IEnumerable<Finding> InText(string template, string place) =>
        DunderInText().Match(template) is { Success: true } match
            ? [TemplateCards.Escape.At($"{place}@{match.Index}", $"The text names {match.Value}.", match.Value)]
            : [];

    private static Finding? Judge(JinjaNode node, string at)
    {
        switch (node.Kind)
        {
            case JinjaKind.Attribute when IsInner(node.Text):
                return TemplateCards.Escape.At(at, $"Takes the attribute {node.Text}.", node.Text);
            case JinjaKind.Attribute when node.Children[0] is { Kind: JinjaKind.Name, Text: "cycler" or "joiner" or "lipsum" or "self" }:
                return TemplateCards.Escape.At(at, $"Takes an attribute of {node.Children[0].Text}, which leads to Python's modules.", $"{node.Children[0].Text}.{node.Text}");
            case JinjaKind.Name when node.Text is "lipsum" or "cycler" or "joiner" or "url_for" or "get_flashed_messages" || (node.Text.StartsWith("__", StringComparison.Ordinal) && node.Text.Length > 2):
                return TemplateCards.Escape.At(at, $"Uses {node.Text}, which no chat template needs.", node.Text, node.Text.StartsWith('_') ? null : Severity.Medium);
            case JinjaKind.Keyword when IsInner(node.Text):
                return TemplateCards.Escape.At(at, $"Passes a keyword named {node.Text}.", node.Text);
            case JinjaKind.Item:
                return Item(node, at);
            case JinjaKind.Filter when node.Text is "attr" or "map" or "selectattr" or "rejectattr" or "sort" or "groupby" or "sum" or "unique":
                return AttributeFilter(node, at);
            case JinjaKind.String or JinjaKind.Binary or JinjaKind.Filter or JinjaKind.Call when Folding.Text(node) is { } text && DunderInText().Match(text) is { Success: true } match:
                return TemplateCards.Escape.At(at, $"Builds the text {match.Value}.", match.Value);
            case JinjaKind.Tag when node.Text is "include" or "import" or "from" or "extends":
                return TemplateCards.Import.At(at, $"Uses {{% {node.Text} %}}.", node.Text);
            default:
                return null;
        }
    }

    private static Finding? Item(JinjaNode node, string at)
    {
        var key = node.Children[^1];
        var text = Folding.Text(key);
        if (text is not null && IsInner(text) && text is not ("mro" or "environ" or "globals" or "popen"))
        {
            return TemplateCards.Escape.At(at, $"Takes the item {text}.", text);
        }

        // An index may be a sum of numbers; one that joins text is a name in pieces.
        return key.Kind == JinjaKind.Filter && key.Text is "join" or "format" or "reverse" || (key.Kind == JinjaKind.Binary && key.Text == "~")
            ? TemplateCards.Attribute.At(at, "Takes an item whose name is put together from parts.", text ?? "")
            : null;
    }

    private static Finding? AttributeFilter(JinjaNode node, string at)
    {
        foreach (var argument in node.Children.Skip(1))
        {
            var value = argument.Kind == JinjaKind.Keyword ? argument.Children[0] : argument;
            if (Folding.Text(value) is { } text && text.Split('.').Any(IsInner))
            {
                return TemplateCards.Escape.At(at, $"The filter {node.Text} takes the attribute {text}.", text);
            }

            if (node.Text == "attr" && value.Kind != JinjaKind.String)
            {
                return TemplateCards.Attribute.At(at, "The filter attr takes a computed name.");
            }
        }

        return node.Text == "attr" ? TemplateCards.Attribute.At(at, "Uses the filter attr.") : null;
    }

    private static bool IsInner(string name) => Inner.Contains(name) || (name.StartsWith("__", StringComparison.Ordinal) && name.EndsWith("__", StringComparison.Ordinal) && name.Length > 4);

    [GeneratedRegex(@"__(class|mro|base|bases|subclasses|globals|builtins|import|init|dict|getattribute|getattr|reduce|reduce_ex|code|closure|call|self|module|loader|spec|new|enter|exit|del|file|name|doc|wrapped|func|annotations|format|getitem)__",
        RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex DunderInText();
}
