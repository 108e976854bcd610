using System.Text;
using System.Text.Json;
using static Temper.Engine.Tokenizers.TokenizerFields;

namespace Temper.Engine.Tokenizers;

/// <summary>Checks every field that has a say in the ids, and builds the pipeline.</summary>
internal sealed class TokenizerReader(string path)
{
    private readonly TokenizerFields _fields = new(path);

    public TokenizerPipeline Read(JsonElement root)
    {
        _fields.Expect(root, "", "truncation", null);
        _fields.Expect(root, "", "padding", null);
        var model = Get(root, "model") is { ValueKind: JsonValueKind.Object } m ? m : throw _fields.Error("model", Get(root, "model"), "an object");
        var models = new ModelReader(_fields);
        // files of old versions name no type
        var kind = Get(model, "type") is null && Get(model, "merges") is not null ? "BPE" : _fields.Type(model, "model");
        var pipeline = kind switch
        {
            "BPE" => models.Bpe(root, model, Steps(root, "pre_tokenizer").Any(s => s.Type == "ByteLevel")),
            "Unigram" => models.Unigram(root, model),
            _ => throw _fields.Error("model.type", Get(model, "type"), "BPE or Unigram"),
        };
        var pretokenizer = Get(root, "pre_tokenizer") is { } p ? Pretokenizer(p, "pre_tokenizer") : null;
        return pipeline with
        {
            Normalizer = Get(root, "normalizer") is { } n ? Normalizer(n, "normalizer") : null,
            Pretokenizer = pipeline.Pretokenizer is { } own ? pretokenizer is null ? own : new PretokenizerSequence([pretokenizer, own]) : pretokenizer,
            Decoder = Get(root, "decoder") is { } d ? Decoder(d, "decoder") : null,
            Frame = Get(root, "post_processor") is { } f ? Frame(f, "post_processor", pipeline.Vocabulary, pipeline.Added) : TokenFrame.None,
        };
    }

    private INormalizer Normalizer(JsonElement e, string at) => _fields.Type(e, at) switch
    {
        "Sequence" => new NormalizerSequence([.. _fields.Items($"{at}.normalizers", Get(e, "normalizers")).Select((s, i) => Normalizer(s, $"{at}.normalizers[{i}]"))]),
        "Prepend" => new PrependNormalizer(_fields.Text($"{at}.prepend", Get(e, "prepend"))),
        "Replace" => new ReplaceNormalizer(_fields.Pattern($"{at}.pattern", Get(e, "pattern")), _fields.Text($"{at}.content", Get(e, "content"))),
        "NFC" => new UnicodeNormalizer(NormalizationForm.FormC),
        "NFD" => new UnicodeNormalizer(NormalizationForm.FormD),
        "NFKC" => new UnicodeNormalizer(NormalizationForm.FormKC),
        "NFKD" => new UnicodeNormalizer(NormalizationForm.FormKD),
        "Lowercase" => new LowercaseNormalizer(),
        "Strip" => new StripNormalizer(_fields.Flag(at, e, "strip_left", true), _fields.Flag(at, e, "strip_right", true)),
        _ => throw _fields.Error($"{at}.type", Get(e, "type"), "Sequence, Prepend, Replace, NFC, NFD, NFKC, NFKD, Lowercase or Strip"),
    };

    private IPretokenizer Pretokenizer(JsonElement e, string at)
    {
        switch (_fields.Type(e, at))
        {
            case "Sequence":
                var steps = Steps(e, "pretokenizers", at);
                if (steps.Take(Math.Max(0, steps.Count - 1)).FirstOrDefault(s => s.Type == "ByteLevel") is { } early)
                {
                    throw _fields.Error($"{early.At}.type", Get(early.Step, "type"), "ByteLevel only as the last step");
                }

                return new PretokenizerSequence([.. steps.Select(s => Pretokenizer(s.Step, s.At))]);
            case "ByteLevel":
                return new ByteLevelPretokenizer(_fields.Flag(at, e, "add_prefix_space", true), _fields.Flag(at, e, "use_regex", true));
            case "Metaspace":
                var scheme = _fields.Text(at, e, "prepend_scheme", _fields.Flag(at, e, "add_prefix_space", true) ? "always" : "never");
                return scheme is "always" or "first" or "never"
                    ? new MetaspacePretokenizer(_fields.Text(at, e, "replacement", "\u2581"), scheme, _fields.Flag(at, e, "split", true))
                    : throw _fields.Error($"{at}.prepend_scheme", Get(e, "prepend_scheme"), "always, first or never");
            case "Split":
                return Split(e, at);
            case "Digits":
                return new CharacterPretokenizer(Rune.IsNumber, _fields.Flag(at, e, "individual_digits", false) ? SplitBehavior.Isolated : SplitBehavior.Contiguous);
            case "Punctuation":
                return new CharacterPretokenizer(IsPunctuation, Behavior(e, at, "Isolated"));
            case "WhitespaceSplit":
                return new CharacterPretokenizer(Rune.IsWhiteSpace, SplitBehavior.Removed);
            case "Whitespace":
                return new SplitPretokenizer(TextPattern.Expression(@"\w+|[^\w\s]+"), SplitBehavior.Removed, Invert: true);
            default:
                throw _fields.Error($"{at}.type", Get(e, "type"), "Sequence, ByteLevel, Metaspace, Split, Digits, Punctuation, Whitespace or WhitespaceSplit");
        }
    }

    private IPretokenizer Split(JsonElement e, string at)
    {
        var (behavior, invert) = (Behavior(e, at, null), _fields.Flag(at, e, "invert", false));
        var known = Get(e, "pattern") is { } p && Get(p, "Regex") is { ValueKind: JsonValueKind.String } r ? WordSplit.Of(r.GetString()!) : null;
        // the whole text matches, so that separators kept alone and gaps that stay alone are the same
        return known is not null && (behavior == SplitBehavior.Isolated || (behavior == SplitBehavior.Removed && invert))
            ? known
            : new SplitPretokenizer(_fields.Pattern($"{at}.pattern", Get(e, "pattern")), behavior, invert);
    }

    private SplitBehavior Behavior(JsonElement e, string at, string? fallback)
    {
        var name = fallback is null ? _fields.Text($"{at}.behavior", Get(e, "behavior")) : _fields.Text(at, e, "behavior", fallback);
        return Enum.TryParse<SplitBehavior>(name, out var behavior) && Enum.IsDefined(behavior)
            ? behavior
            : throw _fields.Error($"{at}.behavior", Get(e, "behavior"), "Removed, Isolated, MergedWithPrevious, MergedWithNext or Contiguous");
    }

    private IDecoder Decoder(JsonElement e, string at)
    {
        switch (_fields.Type(e, at))
        {
            case "Sequence":
                return new DecoderSequence([.. _fields.Items($"{at}.decoders", Get(e, "decoders")).Select((s, i) => Decoder(s, $"{at}.decoders[{i}]"))]);
            case "ByteLevel":
                return new ByteLevelDecoder();
            case "ByteFallback":
                return new ByteFallbackDecoder();
            case "Fuse":
                return new FuseDecoder();
            case "Replace":
                return new ReplaceDecoder(_fields.Pattern($"{at}.pattern", Get(e, "pattern")), _fields.Text($"{at}.content", Get(e, "content")));
            case "Strip":
                return new StripDecoder(
                    _fields.Text($"{at}.content", Get(e, "content")) is [var c] ? c : throw _fields.Error($"{at}.content", Get(e, "content"), "one character"),
                    _fields.Number($"{at}.start", Get(e, "start"), 0, 1 << 20, "a count"), _fields.Number($"{at}.stop", Get(e, "stop"), 0, 1 << 20, "a count"));
            case "Metaspace":
                return new MetaspaceDecoder(
                    _fields.Text(at, e, "replacement", "\u2581"),
                    _fields.Text(at, e, "prepend_scheme", _fields.Flag(at, e, "add_prefix_space", true) ? "always" : "never") != "never");
            default:
                throw _fields.Error($"{at}.type", Get(e, "type"), "Sequence, ByteLevel, ByteFallback, Fuse, Replace, Strip or Metaspace");
        }
    }

    private TokenFrame Frame(JsonElement e, string at, IReadOnlyDictionary<string, int> vocabulary, IReadOnlyList<AddedToken> added)
    {
        switch (_fields.Type(e, at))
        {
            case "Sequence":
                return _fields.Items($"{at}.processors", Get(e, "processors")).Select((s, i) => Frame(s, $"{at}.processors[{i}]", vocabulary, added)).Aggregate(
                    TokenFrame.None, (inner, outer) => new([.. outer.Before, .. inner.Before], [.. inner.Behind, .. outer.Behind], inner.TrimsOffsets || outer.TrimsOffsets, inner.PrefixSpace || outer.PrefixSpace));
            case "ByteLevel":
                return TokenFrame.None with { TrimsOffsets = _fields.Flag(at, e, "trim_offsets", true), PrefixSpace = _fields.Flag(at, e, "add_prefix_space", true) };
            case "RobertaProcessing" or "BertProcessing":
                var trims = _fields.Type(e, at) == "RobertaProcessing";
                return new([Pair("cls")], [Pair("sep")], trims && _fields.Flag(at, e, "trim_offsets", true), trims && _fields.Flag(at, e, "add_prefix_space", true));
            case "TemplateProcessing":
                return Template(e, at, id => vocabulary.Values.Contains(id) || added.Any(a => a.Id == id));
            default:
                throw _fields.Error($"{at}.type", Get(e, "type"), "Sequence, ByteLevel, TemplateProcessing, RobertaProcessing or BertProcessing");
        }

        int Pair(string field) => Get(e, field) is { ValueKind: JsonValueKind.Array } p && p.GetArrayLength() == 2
            ? _fields.Id($"{at}.{field}[1]", p[1])
            : throw _fields.Error($"{at}.{field}", Get(e, field), "a token and its id");
    }

    private TokenFrame Template(JsonElement e, string at, Func<int, bool> known)
    {
        List<int> before = [], behind = [];
        var seen = false;
        foreach (var item in _fields.Items($"{at}.single", Get(e, "single")))
        {
            if (Get(item, "Sequence") is not null)
            {
                seen = !seen ? true : throw _fields.Error($"{at}.single", item, "the text once");
                continue;
            }

            var name = _fields.Text($"{at}.single.SpecialToken.id", Get(item, "SpecialToken") is { } token ? Get(token, "id") : null);
            var special = Get(e, "special_tokens") is { } all ? Get(all, name) : null;
            foreach (var id in _fields.Items($"{at}.special_tokens[{Quote(name)}].ids", special is { } s ? Get(s, "ids") : null))
            {
                var value = _fields.Id($"{at}.special_tokens[{Quote(name)}].ids", id);
                (seen ? behind : before).Add(known(value) ? value : throw _fields.Error($"{at}.special_tokens[{Quote(name)}].ids", id, "an id of the vocabulary"));
            }
        }

        return seen ? new([.. before], [.. behind]) : throw _fields.Error($"{at}.single", Get(e, "single"), "the text among its parts");
    }

    private static bool IsPunctuation(Rune rune) =>
        rune.IsAscii ? Rune.IsPunctuation(rune) || Rune.IsSymbol(rune) : Rune.IsPunctuation(rune);

    private sealed record Part(JsonElement Step, string Type, string At);

    // a step, or the steps of a sequence
    private List<Part> Steps(JsonElement owner, string field, string at = "")
    {
        var name = at.Length == 0 ? field : $"{at}.{field}";
        return Get(owner, field) switch
        {
            null => [],
            { ValueKind: JsonValueKind.Array } list => [.. list.EnumerateArray().Select((s, i) => new Part(s, _fields.Type(s, $"{name}[{i}]"), $"{name}[{i}]"))],
            { } one when _fields.Type(one, name) == "Sequence" => Steps(one, "pretokenizers", name),
            { } one => [new(one, _fields.Type(one, name), name)],
        };
    }
}
