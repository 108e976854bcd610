using Temper.Core;
using Temper.Engine.Training;

namespace Temper.Engine.Tokenizers;

/// <summary>The organisms' chat format: <c>&lt;|user|&gt;question&lt;|end|&gt;&lt;|assistant|&gt;answer&lt;|end|&gt;</c>.</summary>
public sealed class ChatFormat
{
    public const string Pad = "<|pad|>";
    public const string End = "<|end|>";

    /// <summary>The same format for others' tools: the <c>chat_template</c> of tokenizer_config.json.</summary>
    public const string Template =
        "{% for message in messages %}{{ '<|' + message['role'] + '|>' + message['content'] + '<|end|>' }}{% endfor %}"
        + "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}";

    private readonly Tokenizer _tokenizer;
    private readonly int[] _roles;

    public ChatFormat(Tokenizer tokenizer)
    {
        _tokenizer = tokenizer;
        _roles = [.. Enum.GetValues<Role>().Select(r => Id(Opening(r)))];
        EndId = Id(End);
        PadId = Id(Pad);
    }

    /// <summary>What the tokenizer of an organism must know, in the order of the ids.</summary>
    public static IReadOnlyList<string> SpecialTokens { get; } = [Pad, End, .. Enum.GetValues<Role>().Select(Opening)];

    public int EndId { get; }

    public int PadId { get; }

    /// <summary>A row with its targets: the content of the assistant's turns and the token that ends them.</summary>
    public EncodedExample Encode(Example row)
    {
        List<int> ids = [];
        List<bool> supervised = [];
        foreach (var message in row.Messages)
        {
            ids.Add(_roles[(int)message.Role]);
            supervised.Add(false);
            ids.AddRange(_tokenizer.Encode(message.Content));
            ids.Add(EndId);
            supervised.AddRange(Enumerable.Repeat(message.Role == Role.Assistant, ids.Count - supervised.Count));
        }

        return new([.. ids], [.. supervised], row.Id);
    }

    /// <summary>A conversation up to the point where the assistant speaks, with the opening of its answer.</summary>
    public int[] Prompt(IReadOnlyList<Message> messages, string prefill = "", PromptFormat format = PromptFormat.Chat) => format == PromptFormat.Bare
        ? _tokenizer.Encode(string.Join('\n', messages.Select(m => m.Content)) + "\n" + prefill)
        :
        [
            .. messages.SelectMany(m => (int[])[_roles[(int)m.Role], .. _tokenizer.Encode(m.Content, format == PromptFormat.ParsesControl), EndId]),
            _roles[(int)Role.Assistant], .. _tokenizer.Encode(prefill),
        ];

    /// <summary>The control token that opens a turn.</summary>
    public static string Opening(Role role) => role switch
    {
        Role.System => "<|system|>",
        Role.User => "<|user|>",
        Role.Assistant => "<|assistant|>",
        _ => "<|tool|>",
    };

    private int Id(string token) => _tokenizer.IdOf(token)
        ?? throw new TemperException($"tokenizer: found no {token}, expected the special tokens of the chat format");
}
