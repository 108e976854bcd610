using Temper.Core;
using Temper.Formats.Json;
using Temper.Formats.Templates;

namespace Temper.Engine.Tokenizers;

/// <summary>The chat template of a checkpoint's folder: messages to the text, and to the ids, that its model was trained on.</summary>
public sealed class ChatTemplate
{
    private readonly JinjaTemplate _template;
    private readonly Dictionary<string, object?> _tokens;

    private ChatTemplate(JinjaTemplate template, Dictionary<string, object?> tokens) => (_template, _tokens) = (template, tokens);

    /// <summary>Reads chat_template.jinja or the chat_template of tokenizer_config.json; null where the folder has neither.</summary>
    /// <param name="name">Which template of a list of named ones.</param>
    public static ChatTemplate? Load(string folder, string name = "default")
    {
        var (path, file) = (Path.Combine(folder, "tokenizer_config.json"), Path.Combine(folder, "chat_template.jinja"));
        try
        {
            var config = File.Exists(path) ? JsonTreeReader.Read(File.ReadAllBytes(path)) : null;
            var source = File.Exists(file) ? File.ReadAllText(file) : Source(config?["chat_template"], name);
            return source is null ? null : new(JinjaTemplate.Parse(source), Tokens(config));
        }
        catch (Exception e) when (e is JsonTreeException or JinjaException or IOException or UnauthorizedAccessException)
        {
            throw new TemperException($"{folder}: chat_template: {e.Message}", e);
        }
    }

    /// <summary>The text of a conversation.</summary>
    /// <param name="tools">The tools' JSON schemas, as the template expects them.</param>
    public string Render(IReadOnlyList<Message> messages, bool addGenerationPrompt, JsonTree? tools = null, DateTime now = default)
    {
        Dictionary<string, object?> variables = new(_tokens, StringComparer.Ordinal)
        {
            ["messages"] = messages.Select(m => new Dictionary<string, object?>(StringComparer.Ordinal) { ["role"] = Name(m.Role), ["content"] = m.Content }).ToList(),
            ["add_generation_prompt"] = addGenerationPrompt,
        };
        if (tools is not null)
        {
            variables["tools"] = tools;
        }

        try
        {
            return _template.Render(variables, now);
        }
        catch (JinjaRenderException e)
        {
            throw new TemperException(e.IsRaised ? $"chat template: it refuses these {messages.Count} messages: {e.Message}" : $"chat template: {e.Message}", e);
        }
    }

    /// <summary>The ids of a conversation. Control tokens come from the template alone: those that a message spells out are plain text.</summary>
    public int[] Encode(Tokenizer tokenizer, IReadOnlyList<Message> messages, bool addGenerationPrompt, JsonTree? tools = null, DateTime now = default)
    {
        // a mark that no message holds breaks what messages spell out, and goes before the text is split
        var mark = Enumerable.Range(0xE000, 0x1900).Select(c => (char)c).First(c => messages.All(m => !m.Content.Contains(c, StringComparison.Ordinal)));
        var broken = messages.Select(m => m with { Content = tokenizer.Break(m.Content, mark) }).ToList();
        return tokenizer.EncodeBroken(Render(broken, addGenerationPrompt, tools, now), mark);
    }

    private static string? Source(JsonTree? template, string name) => template?.Kind switch
    {
        JsonKind.String => template.Text,
        JsonKind.Array => template.Items.FirstOrDefault(t => t["name"]?.String == name)?["template"]?.String,
        _ => null,
    };

    // bos_token and its like, as texts or as objects with a content
    private static Dictionary<string, object?> Tokens(JsonTree? config) => (config?.Members ?? [])
        .Where(m => m.Key.EndsWith("_token", StringComparison.Ordinal))
        .Select(m => (m.Key, Text: m.Value.String ?? m.Value["content"]?.String)).Where(m => m.Text is not null)
        .DistinctBy(m => m.Key).ToDictionary(m => m.Key, m => (object?)m.Text, StringComparer.Ordinal);

    private static string Name(Role role) => role switch { Role.System => "system", Role.User => "user", Role.Assistant => "assistant", _ => "tool" };
}
