using Temper.Formats.Json;
using Temper.Scan.Folders;
using Temper.Scan.Rules;

namespace Temper.Scan.Tokenizers;

/// <summary>tokenizer.json against the declared base's: moved ids, changed steps, flipped flags, new tokens.</summary>
internal static class TokenizerAgainstBase
{
    private const string File = "tokenizer.json";

    public static IEnumerable<FolderFinding> Find(ModelFolder folder, ModelFolder? @base)
    {
        if (@base?.Json(File) is not { } other || folder.Json(File) is not { } own)
        {
            yield break;
        }

        var path = folder.File(File);
        var (mine, theirs) = (TokenizerVocabulary.Of(own), TokenizerVocabulary.Of(other));
        var moved = theirs.Tokens.Where(t => mine.IdOf(t.Key) is { } id && id != t.Value).Select(t => $"'{t.Key}' {t.Value} -> {mine.IdOf(t.Key)}").ToArray();
        if (moved.Length > 0)
        {
            yield return new(File, TokenizerCards.Permuted.At($"{path}#$.model.vocab", $"{moved.Length} token(s) have other ids than in the base.", string.Join("; ", moved.Take(8))));
        }

        var missing = theirs.Tokens.Keys.Count(t => mine.IdOf(t) is null);
        if (missing > 0)
        {
            yield return new(File, TokenizerCards.Differs.At($"{path}#$.model.vocab", $"{missing} token(s) of the base are missing."));
        }

        foreach (var step in (string[])["normalizer", "pre_tokenizer", "post_processor", "decoder"])
        {
            if (Outline(own[step]) != Outline(other[step]))
            {
                yield return new(File, TokenizerCards.Differs.At($"{path}#$.{step}", $"The {step} is not the base's."));
            }
        }

        if (Outline(own["model"]?["merges"]) != Outline(other["model"]?["merges"]))
        {
            yield return new(File, TokenizerCards.Differs.At($"{path}#$.model.merges", "The merges are not the base's."));
        }

        foreach (var finding in Added(mine, theirs, path))
        {
            yield return new(File, finding);
        }
    }

    private static IEnumerable<Finding> Added(TokenizerVocabulary mine, TokenizerVocabulary theirs, string path)
    {
        var added = mine.Added.Keys.Where(t => !theirs.Added.ContainsKey(t) && !theirs.Tokens.ContainsKey(t)).ToArray();
        if (added.Length > 0)
        {
            yield return TokenizerCards.Added.At($"{path}#$.added_tokens", $"{added.Length} token(s) are new.", string.Join(" ", added.Take(12)));
        }

        foreach (var (content, token) in theirs.Added)
        {
            if (mine.Added.TryGetValue(content, out var own) && (own["special"]?.IsTrue != token["special"]?.IsTrue || own["id"]?.Integer != token["id"]?.Integer))
            {
                yield return TokenizerCards.Differs.At($"{path}#$.added_tokens", $"The control token has id {own["id"]?.Text} and special {own["special"]?.IsTrue}, in the base {token["id"]?.Text} and {token["special"]?.IsTrue}.", content);
            }
        }
    }

    // Trees of tokenizers are shallow but merges are long, so this walks with a stack.
    private static string Outline(JsonTree? tree)
    {
        var text = new System.Text.StringBuilder();
        var pending = new Stack<(string Name, JsonTree? Node)>([("", tree)]);
        while (pending.TryPop(out var current))
        {
            if (current.Node is not { } node)
            {
                text.Append(')');
                continue;
            }

            text.Append(current.Name).Append(':').Append(node.Kind).Append('\'').Append(node.Text).Append("'(");
            pending.Push(("", null));
            // "a b" and ["a", "b"] are two spellings of one merge.
            foreach (var (name, value) in node.Members.Reverse())
            {
                pending.Push(value is { Kind: JsonKind.Array, Members: [{ Value.String: { } left }, { Value.String: { } right }] } ? (name, new(JsonKind.String, $"{left} {right}", 0, [])) : (name, value));
            }
        }

        return text.ToString();
    }
}
