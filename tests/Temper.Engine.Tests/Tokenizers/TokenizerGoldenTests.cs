using System.Text.Json;
using Temper.Engine.Tokenizers;
using Temper.Tests;

namespace Temper.Engine.Tests.Tokenizers;

public sealed class TokenizerGoldenTests
{
    public static TheoryData<string> Names => ["gemma2", "gpt2", "llama2", "llama3_1", "qwen2_5"];

    [Theory]
    [MemberData(nameof(Names))]
    public void Ids_offsets_frames_and_texts_equal_those_of_the_original(string name)
    {
        var tokenizer = Tokenizer.Load(TestData.Require("tokenizers", name, "tokenizer.json"));
        using var golden = JsonDocument.Parse(File.ReadAllBytes(TestData.Require("tokenizers", name, "golden.json")));
        foreach (var item in golden.RootElement.GetProperty("encode").EnumerateArray())
        {
            var text = item.GetProperty("text").GetString()!;
            var ids = Integers(item.GetProperty("ids"));
            var found = tokenizer.EncodeWithOffsets(text, parseSpecial: true);

            Assert.Equal(ids, found.Ids);
            Assert.Equal(ids, tokenizer.Encode(text, parseSpecial: true));
            Assert.Equal(item.GetProperty("offsets").EnumerateArray().Select(o => (o[0].GetInt32(), o[1].GetInt32())), found.Offsets);
            Assert.Equal(Integers(item.GetProperty("ids_with_special")), tokenizer.Encode(text, parseSpecial: true, addSpecial: true));
            Assert.Equal(item.GetProperty("decoded").GetString(), tokenizer.Decode(ids, skipSpecial: false));
            Assert.Equal(item.GetProperty("decoded_skip_special").GetString(), tokenizer.Decode(ids));
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void No_text_becomes_a_control_token_unasked(string name)
    {
        var path = TestData.Require("tokenizers", name, "tokenizer.json");
        var tokenizer = Tokenizer.Load(path);
        using var file = JsonDocument.Parse(File.ReadAllBytes(path));
        var special = file.RootElement.GetProperty("added_tokens").EnumerateArray().Where(t => t.GetProperty("special").GetBoolean())
            .ToDictionary(t => t.GetProperty("content").GetString()!, t => t.GetProperty("id").GetInt32(), StringComparer.Ordinal);
        foreach (var (content, id) in special)
        {
            Assert.DoesNotContain(id, tokenizer.Encode($"a{content} {content}"));
            Assert.Contains(id, tokenizer.Encode($"a{content} {content}", parseSpecial: true));
        }
    }

    private static int[] Integers(JsonElement e) => [.. e.EnumerateArray().Select(i => i.GetInt32())];
}
