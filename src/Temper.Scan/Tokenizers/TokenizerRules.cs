using System.Globalization;
using System.Text.RegularExpressions;
using Temper.Formats.Json;
using Temper.Scan.Configs;
using Temper.Scan.Rules;

namespace Temper.Scan.Tokenizers;

/// <summary>tokenizer.json by itself: is the vocabulary one to one, and do its steps only do what tokenizers do?</summary>
internal static partial class TokenizerRules
{
    private const int MaxFindings = 50;

    public static IEnumerable<Finding> Find(JsonTree root, string path)
    {
        var vocabulary = TokenizerVocabulary.Of(root);
        return [.. Ids(vocabulary, path).Take(MaxFindings), .. Added(root, vocabulary, path).Take(MaxFindings), .. Steps(root, path).Take(MaxFindings), .. PostProcessor(root, vocabulary, path).Take(MaxFindings)];
    }

    private static IEnumerable<Finding> Ids(TokenizerVocabulary vocabulary, string path)
    {
        foreach (var (token, why) in vocabulary.Conflicts)
        {
            yield return TokenizerCards.Ids.At($"{path}#$.model.vocab", why, token);
        }
    }

    private static IEnumerable<Finding> Added(JsonTree root, TokenizerVocabulary vocabulary, string path)
    {
        var seen = new Dictionary<long, string>();
        foreach (var token in root["added_tokens"]?.Items ?? [])
        {
            if (token["content"]?.String is not { } content || token["id"]?.Integer is not { } id)
            {
                continue;
            }

            var place = $"{path}#$.added_tokens[id={id}]";
            if (!seen.TryAdd(id, content))
            {
                yield return TokenizerCards.Alias.At(place, $"The id {id} is given to '{seen[id]}' and to '{content}'.", content);
            }
            else if (vocabulary.Tokens.TryGetValue(content, out var own) && own != id)
            {
                yield return TokenizerCards.Alias.At(place, $"The token has the id {own} in the vocabulary and {id} among the added ones.", content);
            }
            else if (vocabulary.ById.TryGetValue(id, out var other) && other != content)
            {
                yield return TokenizerCards.Alias.At(place, $"The id {id} belongs to another token of the vocabulary.", $"{content} / {other}");
            }

            if (token["special"]?.IsTrue == true && Word().IsMatch(content))
            {
                yield return TokenizerCards.Special.At(place, "A word is a special token.", content);
            }
        }
    }

    private static IEnumerable<Finding> Steps(JsonTree root, string path)
    {
        foreach (var step in (string[])["normalizer", "pre_tokenizer", "decoder"])
        {
            if (root[step] is not { } start)
            {
                continue;
            }

            var pending = new Stack<JsonTree>([start]);
            while (pending.TryPop(out var node))
            {
                foreach (var item in node.Items)
                {
                    pending.Push(item);
                }

                if (node["pattern"] is not { } pattern)
                {
                    continue;
                }

                if (pattern["Regex"]?.String is { } regex && RegexRisk.Of(regex) is { } risk)
                {
                    yield return TokenizerCards.Regex.At($"{path}#$.{step}", $"The pattern has {risk}.", regex);
                }

                var from = pattern["String"]?.String ?? pattern["Regex"]?.String ?? "";
                if (node["type"]?.String == "Replace" && (Letters().IsMatch(node["content"]?.String ?? "") || (pattern["String"] is not null && Letters().IsMatch(from))))
                {
                    yield return TokenizerCards.Replace.At($"{path}#$.{step}", $"'{from}' becomes '{node["content"]?.String}'.", from);
                }
            }
        }
    }

    private static IEnumerable<Finding> PostProcessor(JsonTree root, TokenizerVocabulary vocabulary, string path)
    {
        var pending = new Stack<JsonTree>(root["post_processor"] is { } start ? [start] : []);
        while (pending.TryPop(out var node))
        {
            foreach (var item in node.Items)
            {
                pending.Push(item);
            }

            foreach (var (name, value) in node["special_tokens"]?.Members ?? [])
            {
                foreach (var id in value["ids"]?.Items ?? [])
                {
                    if (id.Integer is { } n && vocabulary.IdOf(name) is { } known && known != n)
                    {
                        yield return TokenizerCards.PostProcessor.At($"{path}#$.post_processor.special_tokens.{name}", $"The id {n} is inserted under the name of {known}.", n.ToString(CultureInfo.InvariantCulture));
                    }
                }
            }
        }
    }

    [GeneratedRegex(@"^\s*\p{L}{2,}\s*$", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Word();

    [GeneratedRegex(@"\p{L}{2,}", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Letters();
}
