using System.Globalization;
using Temper.Formats.Templates;
using Temper.Scan.Rules;

namespace Temper.Scan.Templates;

/// <summary>Loops and texts without measure.</summary>
internal static class TemplateBombs
{
    private const long Large = 10_000;

    public static IEnumerable<Finding> Find(JinjaNode tree, string place)
    {
        foreach (var node in tree.Walk())
        {
            if (node is { Kind: JinjaKind.Call, Children: [{ Kind: JinjaKind.Name, Text: "range" }, ..] } && node.Children.Skip(1).Any(IsLarge))
            {
                yield return TemplateCards.Bomb.At($"{place}@{node.Offset}", "A range of more than 10,000.");
            }

            if (node.Kind == JinjaKind.For && Ranges(node) && node.Children[3].Walk().Any(n => n.Kind == JinjaKind.For && Ranges(n)))
            {
                yield return TemplateCards.Bomb.At($"{place}@{node.Offset}", "Ranges within ranges.");
            }

            if (node.Kind == JinjaKind.Binary && node.Text is "*" or "**" && node.Children.Any(IsLarge))
            {
                yield return TemplateCards.Bomb.At($"{place}@{node.Offset}", "A product with a large number.");
            }

            if (node.Kind == JinjaKind.Filter && node.Text is "center" or "indent" or "batch" or "slice" && node.Children.Skip(1).Any(IsLarge))
            {
                yield return TemplateCards.Bomb.At($"{place}@{node.Offset}", $"The filter {node.Text} with a large number.");
            }
        }
    }

    private static bool Ranges(JinjaNode loop) => loop.Children[1] is { Kind: JinjaKind.Call, Children: [{ Kind: JinjaKind.Name, Text: "range" }, ..] };

    private static bool IsLarge(JinjaNode node) => node.Kind == JinjaKind.Literal
        ? double.TryParse(node.Text.Replace("_", "", StringComparison.Ordinal), NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && value > Large
        : node.Kind == JinjaKind.Binary && node.Text is "*" or "**" && node.Children.All(c => c.Kind == JinjaKind.Literal) && Power(node) > Large;

    private static double Power(JinjaNode node) =>
        double.TryParse(node.Children[0].Text, CultureInfo.InvariantCulture, out var a) && double.TryParse(node.Children[1].Text, CultureInfo.InvariantCulture, out var b)
            ? node.Text == "*" ? a * b : Math.Pow(a, b) : 0;
}
