using System.Text.Json;
using Temper.Core;

namespace Temper.Engine.Tokenizers;

/// <summary>Checks every field that has a say in the ids; a complaint names file, field, found and expected.</summary>
internal sealed class TokenizerReader(string path)
{
    private const int MaxVocabulary = 1 << 21;

    public Tokenizer Read(JsonElement root)
    {
        foreach (var field in (string[])["normalizer", "truncation", "padding"])
        {
            Expect(root, "", field, null);
        }

        ExpectByteLevel(root, "pre_tokenizer", optional: false);
        ExpectByteLevel(root, "decoder", optional: false);
        ExpectByteLevel(root, "post_processor", optional: true);
        var model = Get(root, "model") is { ValueKind: JsonValueKind.Object } m ? m : throw Error("model", Get(root, "model"), "an object");
        Expect(model, "model.", "type", "BPE");
        Expect(model, "model.", "dropout", null);
        Expect(model, "model.", "continuing_subword_prefix", null);
        Expect(model, "model.", "end_of_word_suffix", null);
        Expect(model, "model.", "byte_fallback", null);
        Expect(model, "model.", "ignore_merges", null);
        var vocabulary = Vocabulary(Get(model, "vocab"));
        var added = Added(Get(root, "added_tokens"), vocabulary);
        return new(vocabulary, Merges(Get(model, "merges"), vocabulary, added), added);
    }

    private Dictionary<string, int> Vocabulary(JsonElement? vocab)
    {
        Dictionary<string, int> ids = new(StringComparer.Ordinal);
        HashSet<int> taken = [];
        foreach (var token in vocab is { ValueKind: JsonValueKind.Object } v ? v.EnumerateObject() : throw Error("model.vocab", vocab, "an object"))
        {
            var id = Id($"model.vocab[{Quote(token.Name)}]", token.Value);
            if (!ids.TryAdd(token.Name, id) || !taken.Add(id))
            {
                throw Error($"model.vocab[{Quote(token.Name)}]", token.Value, "a token and an id of its own");
            }
        }

        var missing = Enumerable.Range(0, 256).Select(b => ByteLevel.Letter((byte)b).ToString()).FirstOrDefault(c => !ids.ContainsKey(c));
        return missing is null ? ids : throw new TemperException($"{path}: model.vocab: found no {Quote(missing)}, expected a token for each of the 256 bytes");
    }

    private List<AddedToken> Added(JsonElement? list, Dictionary<string, int> vocabulary)
    {
        List<AddedToken> added = [];
        var owners = vocabulary.ToDictionary(v => v.Value, v => v.Key);
        foreach (var token in list is null ? [] : Items("added_tokens", list))
        {
            var at = $"added_tokens[{added.Count}]";
            var content = Text($"{at}.content", Get(token, "content"));
            var id = Id($"{at}.id", Get(token, "id"));
            Expect(token, $"{at}.", "single_word", null);
            Expect(token, $"{at}.", "lstrip", null);
            Expect(token, $"{at}.", "rstrip", null);
            if (content.Length == 0 || (owners.TryGetValue(id, out var owner) && owner != content)
                || (vocabulary.TryGetValue(content, out var known) && known != id) || added.Exists(a => a.Content == content))
            {
                throw Error(at, token, "a text and an id of its own");
            }

            owners[id] = content;
            added.Add(new(id, content, Get(token, "special") is { ValueKind: JsonValueKind.True }));
        }

        return added;
    }

    private List<(string Left, string Right)> Merges(JsonElement? list, Dictionary<string, int> vocabulary, List<AddedToken> added)
    {
        List<(string Left, string Right)> merges = [];
        var control = added.Where(a => a.Special).Select(a => a.Content).ToHashSet(StringComparer.Ordinal);
        foreach (var item in Items("model.merges", list))
        {
            var at = $"model.merges[{merges.Count}]";
            string[] parts = item.ValueKind == JsonValueKind.Array ? [.. item.EnumerateArray().Select(e => Text(at, e))] : Text(at, item).Split(' ');
            if (parts is not [var left, var right])
            {
                throw Error(at, item, "two tokens");
            }

            if (!vocabulary.ContainsKey(left) || !vocabulary.ContainsKey(right) || !vocabulary.ContainsKey(left + right))
            {
                throw Error(at, item, "two tokens of the vocabulary whose union is one too");
            }

            // else a user who spells the control token out would get it
            if (control.Contains(left + right))
            {
                throw Error(at, item, "a merge that builds no special token");
            }

            merges.Add((left, right));
        }

        return merges;
    }

    private void ExpectByteLevel(JsonElement root, string field, bool optional)
    {
        if (Get(root, field) is not { } e)
        {
            if (!optional)
            {
                throw Error(field, null, "ByteLevel");
            }

            return;
        }

        Expect(e, field + ".", "type", "ByteLevel");
        if (field == "pre_tokenizer")
        {
            Expect(e, field + ".", "add_prefix_space", "false");
            if (Get(e, "use_regex") is { ValueKind: not JsonValueKind.True } regex)
            {
                throw Error(field + ".use_regex", regex, "true");
            }
        }
    }

    /// <summary>One value; where that is null, false and the empty text are as good as none.</summary>
    private void Expect(JsonElement owner, string at, string field, string? expected)
    {
        var found = Get(owner, field);
        if (found?.ToString() is var text && !(expected is null ? text is null or "" or "False" : string.Equals(text, expected, StringComparison.OrdinalIgnoreCase)))
        {
            throw Error(at + field, found, expected ?? "null");
        }
    }

    private int Id(string at, JsonElement? e) =>
        e is { ValueKind: JsonValueKind.Number } n && n.TryGetInt32(out var id) && id is >= 0 and < MaxVocabulary ? id : throw Error(at, e, $"an id from 0 to {MaxVocabulary - 1}");

    private string Text(string at, JsonElement? e) => e is { ValueKind: JsonValueKind.String } s ? s.GetString()! : throw Error(at, e, "a text");

    private JsonElement.ArrayEnumerator Items(string at, JsonElement? e) =>
        e is { ValueKind: JsonValueKind.Array } a ? a.EnumerateArray() : throw Error(at, e, "an array");

    private TemperException Error(string field, JsonElement? found, string expected) =>
        new($"{path}: {field}: found {(found is { } e ? Cut(e.GetRawText()) : "nothing")}, expected {expected}");

    private static string Quote(string text) => Cut(JsonSerializer.Serialize(text));

    private static string Cut(string text) => text.Length <= 80 ? text : text[..80] + "…";

    private static JsonElement? Get(JsonElement owner, string field) =>
        owner.ValueKind == JsonValueKind.Object && owner.TryGetProperty(field, out var e) && e.ValueKind != JsonValueKind.Null ? e : null;
}
