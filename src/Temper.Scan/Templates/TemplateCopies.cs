using Temper.Formats.Templates;
using Temper.Scan.Configs;
using Temper.Scan.Folders;
using Temper.Scan.Rules;

namespace Temper.Scan.Templates;

/// <summary>The copies of a folder's chat template against each other and against the base's.</summary>
internal static class TemplateCopies
{
    private const int Most = 8 << 20;

    public static IEnumerable<FolderFinding> Find(ModelFolder folder, ModelFolder? @base)
    {
        var copies = Copies(folder).ToArray();
        foreach (var copy in copies.Skip(1))
        {
            if (copy.Outline != copies[0].Outline)
            {
                yield return new(copy.File, TemplateCards.Copies.At($"{folder.File(copy.File)}#{copy.Place}", $"The template differs from the one in {copies[0].File}.", Difference(copies[0], copy)));
            }
        }

        if (@base is null || copies.Length == 0)
        {
            yield break;
        }

        var bases = Copies(@base).ToArray();
        foreach (var copy in copies.Where(c => bases.Length > 0 && !Array.Exists(bases, b => b.Outline == c.Outline)))
        {
            yield return new(copy.File, TemplateCards.Differs.At($"{folder.File(copy.File)}#{copy.Place}", "The template is not the base's.", Difference(bases[0], copy)));
        }
    }

    private static IEnumerable<Copy> Copies(ModelFolder folder)
    {
        if (folder.Text("chat_template.jinja", Most) is { } jinja)
        {
            yield return Of("chat_template.jinja", "$", jinja);
        }

        foreach (var file in (string[])["tokenizer_config.json", "chat_template.json", "processor_config.json"])
        {
            // Named templates differ from the default one on purpose.
            foreach (var (place, text) in folder.Json(file) is { } json ? JsonScan.ChatTemplates(json).Where(t => !t.Place.Contains('[', StringComparison.Ordinal) || t.Place.EndsWith("[default]", StringComparison.Ordinal)) : [])
            {
                yield return Of(file, place, text);
            }
        }
    }

    private static Copy Of(string file, string place, string text)
    {
        try
        {
            return new(file, place, text, JinjaParser.Parse(text).Outline());
        }
        catch (JinjaException)
        {
            return new(file, place, text, text);
        }
    }

    // The first place where the texts part, with a little around it.
    private static string Difference(Copy a, Copy b)
    {
        var at = 0;
        while (at < a.Text.Length && at < b.Text.Length && a.Text[at] == b.Text[at])
        {
            at++;
        }

        var from = Math.Max(0, at - 20);
        return $"at character {at}: '{Cut(a.Text, from)}' against '{Cut(b.Text, from)}'";
    }

    private static string Cut(string text, int from) => text.Substring(Math.Min(from, text.Length), Math.Min(80, text.Length - Math.Min(from, text.Length)));

    private sealed record Copy(string File, string Place, string Text, string Outline);
}
