using Temper.Formats.Templates;
using Temper.Scan.Artifacts;
using Temper.Scan.Rules;

namespace Temper.Scan.Templates;

/// <summary>Judges a chat template by its syntax tree; it is never rendered.</summary>
internal static class TemplateScan
{
    private const int Longest = 100_000;
    private const int MaxLength = 8 << 20;

    /// <summary>All findings on one template, which stands at <paramref name="place"/> of the file.</summary>
    public static void Judge(Draft draft, string template, string place)
    {
        if (template.Length > MaxLength)
        {
            draft.Add(FileCards.Limit.At(place, $"The template has {template.Length} characters and was not read."));
            draft.Incomplete();
            return;
        }

        if (template.Length > Longest)
        {
            draft.Add(TemplateCards.Long.At(place, $"The template has {template.Length} characters."));
        }

        draft.AddRange(HiddenText.Find(template, place));
        JinjaNode tree;
        try
        {
            tree = JinjaParser.Parse(template);
        }
        catch (JinjaException e)
        {
            draft.Add(TemplateCards.Syntax.At($"{place}@{e.Offset}", $"The template does not parse: {e.Message}."));
            draft.Incomplete();
            draft.AddRange(SandboxEscapes.InText(template, place));
            return;
        }

        draft.AddRange(SandboxEscapes.Find(tree, place));
        draft.AddRange(ContentGates.Find(tree, place));
        draft.AddRange(TemplateBombs.Find(tree, place));
    }
}
