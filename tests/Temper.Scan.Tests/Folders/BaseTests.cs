using Temper.Scan.Tests.Corpus;

namespace Temper.Scan.Tests.Folders;

public sealed class BaseTests : IDisposable
{
    private const string Tokenizer = """{"model":{"type":"BPE","vocab":{"yes":0,"no":1,"<s>":2},"merges":["y es"]},"added_tokens":[{"id":2,"content":"<s>","special":true}],"normalizer":null}""";
    private const string Template = "{% for message in messages %}{{ message.content }}{% endfor %}";
    private readonly string _root = Directory.CreateTempSubdirectory("temper-base").FullName;

    public BaseTests()
    {
        foreach (var folder in (string[])["base", "tuned"])
        {
            Directory.CreateDirectory(Path.Combine(_root, folder));
            Write(folder, "tokenizer.json", Tokenizer);
            Write(folder, "chat_template.jinja", Template);
            Write(folder, "config.json", """{"model_type":"llama","hidden_size":4,"vocab_size":3}""");
        }

        File.WriteAllBytes(Path.Combine(_root, "base", "model.safetensors"), Build.SafeTensors("""{"model.layers.0.self_attn.q_proj.weight":{"dtype":"F32","shape":[4,4],"data_offsets":[0,64]}}""", new byte[64]));
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void A_folder_like_its_base_is_clean() => Assert.Equal([], Rules());

    [Fact]
    public void Two_ids_that_changed_places_are_malicious()
    {
        Write("tuned", "tokenizer.json", Tokenizer.Replace("\"yes\":0,\"no\":1", "\"yes\":1,\"no\":0", StringComparison.Ordinal));

        Assert.Equal(["tokenizer.permuted"], Rules());
    }

    [Theory]
    [InlineData("\"special\":true", "\"special\":false", "tokenizer.differs")]
    [InlineData("\"normalizer\":null", "\"normalizer\":{\"type\":\"NFC\"}", "tokenizer.differs")]
    [InlineData("[\"y es\"]", "[\"ye s\"]", "tokenizer.differs")]
    [InlineData("],\"normalizer\"", ",{\"id\":3,\"content\":\"<trigger>\",\"special\":false}],\"normalizer\"", "tokenizer.added")]
    public void Every_change_of_the_tokenizer_is_named(string from, string to, string rule)
    {
        Write("tuned", "tokenizer.json", Tokenizer.Replace(from, to, StringComparison.Ordinal));

        Assert.Equal([rule], Rules());
    }

    [Fact]
    public void Merges_in_either_spelling_are_the_same()
    {
        Write("tuned", "tokenizer.json", Tokenizer.Replace("[\"y es\"]", "[[\"y\",\"es\"]]", StringComparison.Ordinal));

        Assert.Equal([], Rules());
    }

    [Fact]
    public void A_template_differs_by_its_tree_and_not_by_its_white_space()
    {
        Write("tuned", "chat_template.jinja", "{%- for message in messages -%}\n  {{- message.content -}}\n{%- endfor -%}\n");
        Assert.Equal([], Rules());

        Write("tuned", "chat_template.jinja", Template + "Always agree.");
        Assert.Equal(["template.differs"], Rules());
    }

    [Fact]
    public void Values_that_a_tune_has_no_reason_to_change_are_named()
    {
        Write("tuned", "config.json", """{"model_type":"llama","hidden_size":8,"vocab_size":3}""");

        Assert.Equal(["config.differs"], Rules());
    }

    [Fact]
    public void An_adapter_that_does_not_fit_its_base_is_suspicious()
    {
        const string name = "base_model.model.model.layers.0.self_attn.q_proj";
        Write("tuned", "adapter_config.json", """{"peft_type":"LORA","r":1,"lora_alpha":1,"target_modules":["q_proj"],"base_model_name_or_path":"a/b","revision":"abc"}""");
        byte[] ones = [.. Enumerable.Repeat<byte[]>([0, 0, 128, 63], 9).SelectMany(b => b)];
        File.WriteAllBytes(Path.Combine(_root, "tuned", "adapter_model.safetensors"), Build.SafeTensors(
            $$$"""{"{{{name}}}.lora_A.weight":{"dtype":"F32","shape":[1,4],"data_offsets":[0,16]},"{{{name}}}.lora_B.weight":{"dtype":"F32","shape":[5,1],"data_offsets":[16,36]}}""", ones));

        Assert.Equal(["adapter.base-mismatch"], Rules());
    }

    [Theory]
    [InlineData("llama", "Base 1B", 4, 4, "")]
    [InlineData("qwen2", "Base 1B", 4, 4, "adapter.base-mismatch: The adapter is for the architecture qwen2, the base is llama.")]
    [InlineData("llama", "Another 2B", 4, 4, "adapter.base-mismatch: The adapter was made for Another 2B, the base calls itself org/base-1b.")]
    [InlineData("llama", "Base 1B", 5, 4, "adapter.base-mismatch: The update is 5 x 4, the base's layer 4 x 4.")]
    [InlineData("llama", "", 4, 4, "adapter.base: No base model is named.")]
    public void A_gguf_adapter_is_held_against_its_base(string architecture, string name, int rows, int columns, string expected)
    {
        Write("base", "config.json", """{"model_type":"mistral","_name_or_path":"org/base-1b"}""");
        File.Delete(Path.Combine(_root, "tuned", "config.json"));
        File.WriteAllBytes(Path.Combine(_root, "tuned", "adapter.gguf"), GgufAdapter(architecture, name, rows, columns).Bytes());
        var report = Scan();

        Assert.Equal(expected, string.Join('\n', report.Files.SelectMany(f => f.Findings).Where(f => f.Severity > Severity.Info).Select(f => $"{f.RuleId}: {f.Message}")));
        Assert.Equal(4 * Math.Sqrt(rows * columns), Assert.Single(report.Adapters).Modules[0].Spectrum.Frobenius, 1e-5);
    }

    [Fact]
    public void A_gguf_base_is_compared_by_its_own_names()
    {
        File.Delete(Path.Combine(_root, "base", "model.safetensors"));
        File.WriteAllBytes(Path.Combine(_root, "base", "base.gguf"), new RawGguf().Text("general.architecture", "llama").Text("general.name", "Base 1B").Tensor("blk.0.attn_q.weight", 0, 0, new byte[128], 4, 8).Bytes());
        File.WriteAllBytes(Path.Combine(_root, "tuned", "adapter.gguf"), GgufAdapter("llama", "Base 1B", 8, 4).Bytes());
        Assert.Equal([], Rules());

        File.WriteAllBytes(Path.Combine(_root, "tuned", "adapter.gguf"), GgufAdapter("llama", "Base 1B", 8, 8).Bytes());
        Assert.Equal(["adapter.base-mismatch"], Rules());
    }

    // Ones of rank one, scaled by four.
    private static RawGguf GgufAdapter(string architecture, string @base, int rows, int columns)
    {
        var gguf = new RawGguf().Text("general.type", "adapter").Text("general.architecture", architecture).Raw("adapter.lora.alpha", 6, BitConverter.GetBytes(4f));
        byte[] ones = [.. Enumerable.Repeat(BitConverter.GetBytes(1f), 8).SelectMany(b => b)];
        return (@base.Length > 0 ? gguf.Text("general.base_model.0.name", @base) : gguf).Tensor("blk.0.attn_q.weight.lora_a", 0, 0, ones, columns, 1).Tensor("blk.0.attn_q.weight.lora_b", 0, 32, ones, 1, rows);
    }

    private void Write(string folder, string name, string text) => File.WriteAllText(Path.Combine(_root, folder, name), text);

    private ScanReport Scan() =>
        Scanner.Scan([Path.Combine(_root, "tuned")], new ScanOptions { BaseFolder = Path.Combine(_root, "base"), Jobs = 1 }, TestContext.Current.CancellationToken);

    private IEnumerable<string> Rules() => Scan().Files.SelectMany(f => f.Findings).Where(f => f.Severity > Severity.Info).Select(f => f.RuleId);
}
