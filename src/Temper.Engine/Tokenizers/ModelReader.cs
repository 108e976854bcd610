using System.Text.Json;
using static Temper.Engine.Tokenizers.TokenizerFields;

namespace Temper.Engine.Tokenizers;

/// <summary>Vocabulary, merges and added tokens of a tokenizer.json.</summary>
internal sealed class ModelReader(TokenizerFields fields)
{
    /// <param name="byteLevel">Whether words come as the letters of their bytes.</param>
    public TokenizerPipeline Bpe(JsonElement root, JsonElement model, bool byteLevel)
    {
        fields.Expect(model, "model.", "dropout", null);
        fields.Expect(model, "model.", "continuing_subword_prefix", null);
        fields.Expect(model, "model.", "end_of_word_suffix", null);
        var vocabulary = Vocabulary(Get(model, "vocab"), byteLevel);
        var options = new BpeOptions(
            Get(model, "unk_token") is { } u ? fields.Text("model.unk_token", u) : null, fields.Flag("model", model, "fuse_unk", false),
            fields.Flag("model", model, "byte_fallback", false), fields.Flag("model", model, "ignore_merges", false));
        if (options.Unknown is { } unknown && !vocabulary.ContainsKey(unknown))
        {
            throw fields.Error("model.unk_token", Get(model, "unk_token"), "a token of model.vocab");
        }

        var added = Added(Get(root, "added_tokens"), vocabulary);
        var merges = Merges(Get(model, "merges"), vocabulary, added);
        return new()
        {
            Vocabulary = vocabulary, Added = added,
            Model = new BpeModel(vocabulary, merges, added.Where(a => a.Special).Select(a => a.Id).ToHashSet(), options),
            Pretokenizer = byteLevel ? null : SpaceMarkPretokenizer.For(merges, vocabulary, options),
        };
    }

    public TokenizerPipeline Unigram(JsonElement root, JsonElement model)
    {
        List<(string Piece, double Score)> pieces = [];
        Dictionary<string, int> vocabulary = new(StringComparer.Ordinal);
        foreach (var item in fields.Items("model.vocab", Get(model, "vocab")))
        {
            var at = $"model.vocab[{pieces.Count}]";
            if (item.ValueKind != JsonValueKind.Array || item.GetArrayLength() != 2 || pieces.Count == MaxVocabulary)
            {
                throw fields.Error(at, item, $"a piece and its score, at most {MaxVocabulary} in all");
            }

            var piece = fields.Text($"{at}[0]", item[0]);
            vocabulary[piece] = pieces.Count;
            pieces.Add((piece, fields.Real($"{at}[1]", item[1])));
        }

        if (pieces.Count == 0)
        {
            throw fields.Error("model.vocab", Get(model, "vocab"), "at least one piece");
        }

        var unknown = fields.Number("model.unk_id", Get(model, "unk_id"), 0, pieces.Count - 1, "the id of a piece");
        var added = Added(Get(root, "added_tokens"), vocabulary);
        var control = added.Where(a => a.Special).Select(a => a.Id).ToHashSet();
        return new() { Vocabulary = vocabulary, Added = added, Model = new UnigramModel(pieces, unknown, fields.Flag("model", model, "byte_fallback", false), control) };
    }

    private Dictionary<string, int> Vocabulary(JsonElement? vocab, bool byteLevel)
    {
        Dictionary<string, int> ids = new(StringComparer.Ordinal);
        HashSet<int> taken = [];
        foreach (var token in vocab is { ValueKind: JsonValueKind.Object } v ? v.EnumerateObject() : throw fields.Error("model.vocab", vocab, "an object"))
        {
            var id = fields.Id($"model.vocab[{Quote(token.Name)}]", token.Value);
            if (!ids.TryAdd(token.Name, id) || !taken.Add(id))
            {
                throw fields.Error($"model.vocab[{Quote(token.Name)}]", token.Value, "a token and an id of its own");
            }
        }

        var missing = byteLevel ? Enumerable.Range(0, 256).Select(b => ByteLevel.Letter((byte)b).ToString()).FirstOrDefault(c => !ids.ContainsKey(c)) : null;
        return missing is null ? ids : throw fields.Missing("model.vocab", $"no {Quote(missing)}", "a token for each of the 256 bytes");
    }

    private List<AddedToken> Added(JsonElement? list, Dictionary<string, int> vocabulary)
    {
        List<AddedToken> added = [];
        HashSet<string> contents = new(StringComparer.Ordinal);
        var owners = vocabulary.ToDictionary(v => v.Value, v => v.Key);
        foreach (var token in list is null ? [] : fields.Items("added_tokens", list))
        {
            var at = $"added_tokens[{added.Count}]";
            var content = fields.Text($"{at}.content", Get(token, "content"));
            var id = fields.Id($"{at}.id", Get(token, "id"));
            if (content.Length == 0 || (owners.TryGetValue(id, out var owner) && owner != content) || (vocabulary.TryGetValue(content, out var known) && known != id) || !contents.Add(content))
            {
                throw fields.Error(at, token, "a text and an id of its own");
            }

            owners[id] = content;
            bool Flag(string field) => fields.Flag(at, token, field, false);
            added.Add(new(id, content, Flag("special"), Flag("single_word"), Flag("lstrip"), Flag("rstrip"), Flag("normalized")));
        }

        return added;
    }

    private List<(string Left, string Right)> Merges(JsonElement? list, Dictionary<string, int> vocabulary, List<AddedToken> added)
    {
        List<(string Left, string Right)> merges = [];
        var control = added.Where(a => a.Special).Select(a => a.Content).ToHashSet(StringComparer.Ordinal);
        foreach (var item in fields.Items("model.merges", list))
        {
            var at = $"model.merges[{merges.Count}]";
            string[] parts = item.ValueKind == JsonValueKind.Array ? [.. item.EnumerateArray().Select(e => fields.Text(at, e))] : fields.Text(at, item).Split(' ');
            if (parts is not [{ Length: > 0 } left, { Length: > 0 } right])
            {
                throw fields.Error(at, item, "two tokens");
            }

            if (!vocabulary.ContainsKey(left) || !vocabulary.ContainsKey(right) || !vocabulary.ContainsKey(left + right))
            {
                throw fields.Error(at, item, "two tokens of the vocabulary whose union is one too");
            }

            // else a user who spells the control token out would get it
            if (control.Contains(left + right))
            {
                throw fields.Error(at, item, "a merge that builds no special token");
            }

            merges.Add((left, right));
        }

        return merges;
    }
}
