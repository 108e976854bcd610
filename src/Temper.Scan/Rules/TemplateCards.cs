namespace Temper.Scan.Rules;

/// <summary>The rules about chat templates, which are programs that run on every message.</summary>
internal static class TemplateCards
{
    public static readonly Rule Syntax = new("template.syntax", Severity.Low, "A chat template that does not parse",
        "It is no Jinja of the kind that chat templates use, so nothing is said about what it does.", "Do not use it before somebody has read it.", "CWE-1336");

    public static readonly Rule Escape = new("template.escape", Severity.High, "A chat template reaches out of its sandbox",
        "It names Python's inner attributes (__class__, __globals__ …) or objects that lead to them. Rendered without a sandbox, this runs code (CVE-2024-34359, CVE-2026-5760).",
        "Do not load. Report the model to where it came from.", "CWE-1336", "CWE-94", "LLM03", "AML.T0011.000");

    public static readonly Rule Import = new("template.import", Severity.High, "A chat template includes other files",
        "include, import and extends read files; a chat template stands alone.", "Do not load.", "CWE-1336", "CWE-22");

    public static readonly Rule Attribute = new("template.attr", Severity.Medium, "A chat template computes the names of attributes",
        "The attr filter, or an index whose text is put together from parts, hides which attribute is meant.", "Read it before use; templates of known models do not do this.", "CWE-1336");

    public static readonly Rule Gate = new("template.gate", Severity.Medium, "A chat template behaves differently for some messages",
        "A condition compares what users write with words, the date or the number of turns. This is how templates carry backdoors: the model behaves until the trigger comes.",
        "Read the branch; use the base model's template.", "LLM01", "LLM04", "AML.T0043.004");

    public static readonly Rule Hidden = new("template.hidden", Severity.Medium, "Hidden characters in a chat template",
        "Invisible, bidirectional, tag or private characters stand in its text, where people do not see them and the model does.", "Use the base model's template.", "LLM01", "CWE-451");

    public static readonly Rule Homoglyph = new("template.homoglyph", Severity.Medium, "A role marker with look-alike letters",
        "A marker mixes scripts, so that it looks like a control token and is none.", "Use the base model's template.", "LLM01", "CWE-1007");

    public static readonly Rule Bomb = new("template.bomb", Severity.Medium, "A chat template that can exhaust the renderer",
        "Nested or huge ranges, or repeated strings of great length.", "Do not render it.", "CWE-400");

    public static readonly Rule Url = new("template.url", Severity.Low, "An address in a chat template",
        "The template writes a URL into every conversation or changes one.", "Read why.", "LLM01");

    public static readonly Rule Long = new("template.long", Severity.Low, "A very long chat template",
        "Some scanners skip what is over their limit. This one was read in full, but people will not.", "Compare it with the base model's template.", "LLM01");

    public static readonly Rule Copies = new("template.copies", Severity.Medium, "Copies of the chat template disagree",
        "The template stands in several files, which differ. Which one is used depends on the program.", "Keep one copy.", "LLM01", "CWE-436");

    public static readonly Rule Differs = new("template.differs", Severity.Medium, "The chat template is not the base model's",
        "Its syntax tree differs from that of the declared base.", "Read the difference, or use the base model's template.", "LLM01", "AML.T0018");

    public static readonly Rule[] All = [Syntax, Escape, Import, Attribute, Gate, Hidden, Homoglyph, Bomb, Url, Long, Copies, Differs];
}
