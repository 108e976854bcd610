namespace Temper.Formats.Templates;

/// <summary>A template that could not be rendered: where and why. <see cref="IsRaised"/> if it says so itself by raise_exception.</summary>
public sealed class JinjaRenderException(int offset, string why, bool isRaised = false) : Exception(isRaised ? why : $"at character {offset}: {why}")
{
    public int Offset => offset;

    public bool IsRaised => isRaised;
}

/// <summary>What a rendering may take at most.</summary>
/// <param name="Steps">Nodes looked at.</param>
/// <param name="Characters">Of the output, and of any text or list on the way.</param>
/// <param name="Depth">Calls and loops inside each other.</param>
public sealed record JinjaLimits(long Steps = 2_000_000, int Characters = 16 << 20, int Depth = 64);

/// <summary>A chat template as Hugging Face renders it: Jinja in a sandbox, blocks trimmed.</summary>
// Safe by construction: the interpreter's values are texts, numbers, lists and dictionaries of its own; there is no way from them to an object of the host.
public sealed class JinjaTemplate
{
    private readonly JinjaNode _body;

    private JinjaTemplate(JinjaNode body) => _body = body;

    /// <exception cref="JinjaException">The text is no template.</exception>
    public static JinjaTemplate Parse(string source)
    {
        var text = source.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n');
        return new(JinjaParser.Parse(text.EndsWith('\n') ? text[..^1] : text, rendering: true));
    }

    /// <summary>The text under some variables: texts, numbers, flags, lists and dictionaries of such, or a <see cref="Json.JsonTree"/>.</summary>
    /// <param name="now">The day that strftime_now tells.</param>
    /// <exception cref="JinjaRenderException">The template fails, complains, or exceeds its limits.</exception>
    public string Render(IReadOnlyDictionary<string, object?> variables, DateTime now, JinjaLimits? limits = null)
    {
        var values = variables.ToDictionary(v => v.Key, v => JinjaValues.From(v.Value), StringComparer.Ordinal);
        return new JinjaInterpreter(limits ?? new(), now).Run(_body, values);
    }
}
