using Temper.Formats.Json;

namespace Temper.Scan.Tokenizers;

/// <summary>The tokens of a tokenizer.json both ways, and where they do not map one to one.</summary>
internal sealed class TokenizerVocabulary
{
    private const int MaxConflicts = 100;

    public Dictionary<string, long> Tokens { get; } = new(StringComparer.Ordinal);

    public Dictionary<long, string> ById { get; } = [];

    public Dictionary<string, JsonTree> Added { get; } = new(StringComparer.Ordinal);

    public List<(string Token, string Why)> Conflicts { get; } = [];

    public static TokenizerVocabulary Of(JsonTree root)
    {
        var result = new TokenizerVocabulary();
        if (root["model"]?["vocab"] is { } vocab)
        {
            long index = 0;
            foreach (var (name, value) in vocab.Members)
            {
                // BPE and WordPiece map tokens to ids; Unigram lists tokens with scores, so the place is the id.
                var token = vocab.Kind == JsonKind.Object ? name : value.Items.FirstOrDefault()?.String ?? "";
                result.Add(token, vocab.Kind == JsonKind.Object ? value.Integer ?? -1 : index);
                index++;
            }
        }

        foreach (var token in root["added_tokens"]?.Items ?? [])
        {
            if (token["content"]?.String is { } content)
            {
                result.Added[content] = token;
            }
        }

        return result;
    }

    /// <summary>The id under which a token is known; null where it is not or where its ids conflict.</summary>
    public long? IdOf(string token) => Added.TryGetValue(token, out var added) ? added["id"]?.Integer : Tokens.TryGetValue(token, out var id) ? id : null;

    private void Add(string token, long id)
    {
        if (!Tokens.TryAdd(token, id))
        {
            Conflict(token, "The token stands twice in the vocabulary.");
        }
        else if (id < 0)
        {
            Conflict(token, "The id is no natural number.");
        }
        else if (!ById.TryAdd(id, token))
        {
            Conflict(token, $"The id {id} belongs to '{ById[id]}' too.");
        }
    }

    private void Conflict(string token, string why)
    {
        if (Conflicts.Count < MaxConflicts)
        {
            Conflicts.Add((token, why));
        }
    }
}
