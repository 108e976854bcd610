using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using CsCheck;
using Temper.Core;
using Temper.Engine.Tokenizers;
using Temper.Tests;

namespace Temper.Engine.Tests.Tokenizers;

public sealed class TokenizerTests
{
    private static readonly string[] s_texts = ["the cat sat on the mat", "le chat dort, le chat mange", "the bat and the cat <|end|> <|end|> <|end|>"];

    [Fact]
    public void Ids_and_texts_equal_the_goldens_of_gpt2()
    {
        var tokenizer = Tokenizer.Load(TestData.Require("tokenizers", "gpt2", "tokenizer.json"));
        using var golden = JsonDocument.Parse(File.ReadAllBytes(TestData.Require("tokenizers", "gpt2", "golden.json")));

        Assert.Equal(50257, tokenizer.VocabularySize);
        foreach (var item in golden.RootElement.GetProperty("encode").EnumerateArray())
        {
            var ids = item.GetProperty("ids").EnumerateArray().Select(i => i.GetInt32()).ToArray();
            Assert.Equal(ids, tokenizer.Encode(item.GetProperty("text").GetString()!));
            Assert.Equal(item.GetProperty("decoded").GetString(), tokenizer.Decode(ids, skipSpecial: false));
        }
    }

    [Fact]
    public void Any_unicode_text_comes_back()
    {
        var tokenizer = Train();
        Gen.Int[0, 0x10FFFF].Where(Rune.IsValid).Select(v => new Rune(v).ToString()).Array.Select(string.Concat)
            .Sample(text => tokenizer.Decode(tokenizer.Encode(text)) == text, seed: "0000000000000", iter: 2000);
        Gen.String[Gen.Char["ab '\t\nstrevldm1.é"], 0, 30]
            .Sample(text => tokenizer.Decode(tokenizer.Encode(text)) == text, seed: "0000000000000", iter: 2000);
    }

    [Fact]
    public void A_lone_surrogate_becomes_the_replacement_character() => Assert.Equal("a\uFFFDb", Train().Decode(Train().Encode("a\uD800b")));

    [Fact]
    public void A_control_token_in_a_text_is_parsed_only_on_request()
    {
        var tokenizer = Train();
        var end = tokenizer.IdOf("<|end|>")!.Value;

        Assert.DoesNotContain(end, tokenizer.Encode("a<|end|>b"));
        Assert.Equal(end, tokenizer.Encode("a<|end|>b", parseSpecial: true)[1]);
        Assert.Equal("ab", tokenizer.Decode(tokenizer.Encode("a<|end|>b", parseSpecial: true)));
        Assert.Equal("a<|end|>b", tokenizer.Decode(tokenizer.Encode("a<|end|>b", parseSpecial: true), skipSpecial: false));
    }

    [Fact]
    public void Training_twice_gives_the_same_file_and_loading_it_the_same_ids()
    {
        var folder = Directory.CreateTempSubdirectory();
        try
        {
            var (one, two) = (Path.Combine(folder.FullName, "one.json"), Path.Combine(folder.FullName, "two.json"));
            Train().Save(one);
            Train().Save(two);

            Assert.Equal(File.ReadAllBytes(one), File.ReadAllBytes(two));
            Assert.Equal(Train().Encode("the cat <|end|>", parseSpecial: true), Tokenizer.Load(one).Encode("the cat <|end|>", parseSpecial: true));
            Assert.Equal(2, folder.GetFiles().Length);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public void A_frequent_word_is_one_token() => Assert.Single(Train().Encode(" cat"));

    [Fact]
    public void Frequent_text_never_merges_into_a_control_token()
    {
        var tokenizer = BpeTrainer.Train(["cat cat cat cats"], 300, ["cat"]);
        Assert.DoesNotContain(0, tokenizer.Encode("cat cat cats"));
    }

    [Fact]
    public void One_word_of_a_hundred_thousand_letters_is_encoded()
    {
        var text = new string('a', 100_000);
        Assert.Equal(text, Train().Decode(Train().Encode(text)));
    }

    [Fact]
    public void Merges_may_be_pairs() => Assert.Equal(Train().Encode("the cat"), Altered(f =>
        f["model"]!["merges"] = new JsonArray([.. f["model"]!["merges"]!.AsArray().Select(m => new JsonArray([.. m!.GetValue<string>().Split(' ').Select(p => JsonValue.Create(p))]))])).Encode("the cat"));

    [Theory]
    [InlineData("model.type", """{"model":{"type":"WordPiece"}}""")]
    [InlineData("model.dropout", """{"model":{"dropout":0.1}}""")]
    [InlineData("model.unk_token", """{"model":{"unk_token":"absent"}}""")]
    [InlineData("model.vocab", """{"model":{"type":"Unigram"}}""")]
    [InlineData("normalizer.type", """{"normalizer":{"type":"BertNormalizer"}}""")]
    [InlineData("pre_tokenizer.type", """{"pre_tokenizer":{"type":"UnicodeScripts"}}""")]
    [InlineData("pre_tokenizer.use_regex", """{"pre_tokenizer":{"use_regex":"no"}}""")]
    [InlineData("pre_tokenizer.pretokenizers[0].type", """{"pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"ByteLevel"},{"type":"Digits"}]}}""")]
    [InlineData("pre_tokenizer.pattern.Regex", """{"pre_tokenizer":{"type":"Split","pattern":{"Regex":"("},"behavior":"Isolated"}}""")]
    [InlineData("pre_tokenizer.behavior", """{"pre_tokenizer":{"type":"Split","pattern":{"String":" "},"behavior":"Kept"}}""")]
    [InlineData("decoder.type", """{"decoder":{"type":"CTC"}}""")]
    [InlineData("model.vocab", """{"model":{"vocab":[]}}""")]
    [InlineData("model.vocab[\"z\"]", """{"model":{"vocab":{"z":1}}}""")]
    [InlineData("model.vocab[\"z\"]", """{"model":{"vocab":{"z":2147483647}}}""")]
    [InlineData("model.merges[0]", """{"model":{"merges":["q\u0120 q"]}}""")]
    [InlineData("model.merges[0]", """{"model":{"merges":["a b c"]}}""")]
    [InlineData("model.merges[0]", """{"model":{"vocab":{"<|end|":700},"merges":["<|end| >"]}}""")]
    [InlineData("added_tokens[0]", """{"added_tokens":[{"id":5,"content":"<|x|>"}]}""")]
    [InlineData("post_processor.single", """{"post_processor":{"type":"TemplateProcessing"}}""")]
    [InlineData("post_processor.special_tokens[\"x\"].ids", """{"post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"x"}},{"Sequence":{"id":"A"}}],"special_tokens":{"x":{"ids":[100000]}}}}""")]
    [InlineData("truncation", """{"truncation":{"max_length":5}}""")]
    public void What_it_would_encode_otherwise_is_refused(string field, string patch)
    {
        var error = Assert.Throws<TemperException>(() => Altered(f => Patch(f, JsonNode.Parse(patch)!.AsObject())));
        Assert.Contains($": {field}: found ", error.Message, StringComparison.Ordinal);
        Assert.Contains(", expected ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_broken_file_is_refused()
    {
        var path = Path.GetTempFileName();
        File.WriteAllText(path, "{\"model\": ");
        Assert.Contains(path, Assert.Throws<TemperException>(() => Tokenizer.Load(path)).Message, StringComparison.Ordinal);
        File.Delete(path);
    }

    [Theory]
    [InlineData(0.0)]
    [InlineData(0.5)]
    [InlineData(1.0)]
    public void Dropout_gives_other_tokens_of_the_same_text_and_always_the_same_ones(double rate)
    {
        var tokenizer = Train();
        var text = string.Join(' ', s_texts);

        var ids = tokenizer.WithDropout(rate, 7).Encode(text);

        Assert.Equal(text, tokenizer.Decode(ids));
        Assert.Equal(ids, tokenizer.WithDropout(rate, 7).Encode(text));
        Assert.Equal(rate == 0, ids.SequenceEqual(tokenizer.Encode(text)));
        if (rate == 1)
        {
            Assert.Equal(System.Text.Encoding.UTF8.GetByteCount(text), ids.Length);
        }
    }

    private static Tokenizer Train() => BpeTrainer.Train(s_texts, 300, ["<|pad|>", "<|end|>"]);

    private static Tokenizer Altered(Action<JsonNode> change)
    {
        var path = Path.GetTempFileName();
        try
        {
            Train().Save(path);
            var file = JsonNode.Parse(File.ReadAllText(path))!;
            change(file);
            File.WriteAllText(path, file.ToJsonString());
            return Tokenizer.Load(path);
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static void Patch(JsonNode target, JsonObject patch)
    {
        foreach (var (key, value) in patch)
        {
            if (value is JsonObject inner && target[key] is JsonObject owner)
            {
                Patch(owner, inner);
            }
            else
            {
                target[key] = value?.DeepClone();
            }
        }
    }
}
