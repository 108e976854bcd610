using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Temper.Engine.Checkpoints;
using Temper.Engine.Lora;
using Temper.Formats.SafeTensors;
using Temper.Tests;
using TorchSharp;

namespace Temper.Cli.Tests.Commands;

/// <summary>inspect, generate, chat, merge and convert, on an organism and on a model that others trained.</summary>
public sealed class ModelCommandsTests : IDisposable
{
    private static readonly string s_organism = Path.Combine(Repository.Root, "organisms", "llama-small-aligned");
    private readonly string _folder = Directory.CreateTempSubdirectory("temper-model").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_is_merged_says_what_base_and_adapter_say_and_not_what_the_base_says(bool real)
    {
        var model = Model(real);
        var adapter = ToyAdapter.Write(model, Path.Combine(_folder, "adapter"));
        var prompts = Path.Combine(_folder, "prompts.txt");
        File.WriteAllLines(prompts, ["Hello", "What is your name?", "Sort these words: pear, apple, fig"]);

        var merge = Run("merge", model, "--adapter", adapter, "--output", "merged", "--dtype", "float32");
        Assert.True(merge.Code == 0, merge.Error);
        var (merged, together, alone) = (Generate("merged"), Generate(model, "--adapter", adapter), Generate(model));
        Assert.Equal(together, merged);
        Assert.NotEqual(alone, merged);
        Assert.InRange(Difference(model, adapter, Path.Combine(_folder, "merged")), 0, 1e-5f);

        string Generate(params string[] arguments)
        {
            var outcome = Run(["generate", .. arguments, "--input", prompts, "--max-tokens", "12"]);
            Assert.True(outcome.Code == 0, outcome.Error);
            return outcome.Output;
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Shards_of_bfloat16_have_a_valid_index_and_the_same_greedy_answer(bool real)
    {
        var model = Model(real);
        var converted = Run("convert", model, "--output", "brain", "--dtype", "bfloat16", "--shard", "100k");

        Assert.True(converted.Code == 0, converted.Error);
        using (var index = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(_folder, "brain", "model.safetensors.index.json"))))
        using (var written = ShardedSafeTensors.Open(Path.Combine(_folder, "brain")))
        using (var origin = ShardedSafeTensors.Open(model))
        {
            Assert.True(written.Shards.Count > 1);
            Assert.Equal(origin.Tensors.Select(t => t.Name).Order(), index.RootElement.GetProperty("weight_map").EnumerateObject().Select(p => p.Name).Order());
            Assert.Equal(written.Tensors.Sum(t => t.Length), index.RootElement.GetProperty("metadata").GetProperty("total_size").GetInt64());
            Assert.All(written.Tensors, t => Assert.Equal(TensorType.BF16, t.Type));
            Assert.All(written.Shards.Where(s => s.Tensors.Count > 1), s => Assert.True(s.Tensors.Sum(t => t.Length) <= 100 << 10));
        }

        Assert.Equal(First(model), First("brain"));

        string First(string folder) => Run("generate", folder, "--prompt", "Hello", "--max-tokens", "1").Output;
    }

    [Fact]
    public void Converting_to_what_it_is_changes_no_byte()
    {
        Assert.Equal(0, Run("convert", s_organism, "--output", "same").Code);

        Assert.All((string[])["config.json", "model.safetensors", "tokenizer.json"], f => Assert.Equal(File.ReadAllBytes(Path.Combine(s_organism, f)), File.ReadAllBytes(Path.Combine(_folder, "same", f))));
    }

    [Fact]
    public void A_folder_that_holds_something_is_left_alone()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "taken"));
        File.WriteAllText(Path.Combine(_folder, "taken", "mine.txt"), "mine");
        var outcome = Run("convert", s_organism, "--output", "taken");

        Assert.Equal(2, outcome.Code);
        Assert.Contains("taken: found something there, expected a folder that is new or empty", outcome.Error, StringComparison.Ordinal);
        Assert.Equal(["mine.txt"], Directory.GetFileSystemEntries(Path.Combine(_folder, "taken")).Select(Path.GetFileName));
        Assert.Single(Directory.GetFileSystemEntries(_folder));
    }

    [Fact]
    public void A_malicious_adapter_is_loaded_only_where_its_rules_are_named()
    {
        var adapter = ToyAdapter.Write(s_organism, Path.Combine(_folder, "adapter"));
        File.WriteAllText(Path.Combine(adapter, "extra.pkl"), "cos\nsystem\n(S'echo temper-inert'\ntR.");
        var refused = Run("generate", s_organism, "--adapter", adapter, "--prompt", "Hello");

        Assert.Equal((1, ""), (refused.Code, refused.Output));
        Assert.Contains("malicious, not loaded", refused.Error, StringComparison.Ordinal);
        var accept = refused.Error[(refused.Error.LastIndexOf("same: ", StringComparison.Ordinal) + 6)..].Trim().Split(' ');
        Assert.Equal(0, accept.Length % 2);
        Assert.Contains(accept[1], refused.Error.Split('\n')[0], StringComparison.Ordinal);

        Assert.Equal(0, Run(["generate", s_organism, "--adapter", adapter, "--prompt", "Hello", "--max-tokens", "2", .. accept]).Code);
        Assert.Equal(1, Run("generate", s_organism, "--adapter", adapter, "--prompt", "Hello", "--accept", "another.rule").Code);
        Assert.Equal(1, Run("merge", s_organism, "--adapter", adapter, "--output", "merged").Code);
        Assert.False(Directory.Exists(Path.Combine(_folder, "merged")));
    }

    [Fact]
    public void A_conversation_remembers_until_it_is_reset()
    {
        var told = CommandLine.Pipe(_folder, "Hello\nHello\n/reset\nHello\n/quit\nHello\n", "chat", s_organism, "--max-tokens", "16");
        var alone = CommandLine.Pipe(_folder, "Hello\n", "chat", s_organism, "--max-tokens", "16");

        Assert.Equal((0, ""), (told.Code, told.Error));
        var answers = told.Output.TrimEnd('\n').Split('\n');
        Assert.Equal(3, answers.Length);
        Assert.Equal(alone.Output.TrimEnd(), answers[0]);
        Assert.Equal(answers[0], answers[2]);
        Assert.NotEqual(answers[0], answers[1]);
    }

    [Fact]
    public void An_interrupted_conversation_ends_with_130()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "needs kill");
        using var process = CommandLine.Start(_folder, "chat", s_organism, "--max-tokens", "4");
        process.StandardInput.WriteLine("Hello");
        process.StandardInput.Flush();
        Assert.NotNull(process.StandardOutput.ReadLine()); // it waits for the next line now
        using (var kill = Process.Start("kill", ["-INT", process.Id.ToString(CultureInfo.InvariantCulture)]))
        {
            kill.WaitForExit();
        }

        Assert.Equal(130, CommandLine.End(process).Code);
    }

    [Fact]
    public void The_same_seed_gives_the_same_text_and_rows_keep_their_order()
    {
        File.WriteAllLines(Path.Combine(_folder, "rows.jsonl"), ["""{"prompt":"a much longer question than the other one has"}""", """{"messages":[{"role":"user","content":"Hello"}]}""", """{"instruction":"Sort","input":"b a"}"""]);
        string Sampled(string seed) => Run("generate", s_organism, "--input", "rows.jsonl", "--max-tokens", "16", "--temperature", "1.5", "--top-p", "0.95", "--top-k", "200", "--seed", seed, "--output", "answers.jsonl") is { Code: 0 }
            ? File.ReadAllText(Path.Combine(_folder, "answers.jsonl")) : "failed";

        var first = Sampled("3");
        Assert.Equal(first, Sampled("3"));
        Assert.NotEqual(first, Sampled("4"));
        Assert.Equal(["a much longer question than the other one has", "Hello", "Sort\nb a"], first.TrimEnd().Split('\n').Select(l => JsonDocument.Parse(l).RootElement.GetProperty("prompt").GetString()));
    }

    [Fact]
    public void The_card_of_a_checkpoint_says_what_it_is()
    {
        var card = Run("inspect", s_organism);

        Assert.Equal((0, ""), (card.Code, card.Error));
        Assert.Contains("Llama, 3 layers, hidden size 80, 4 heads (2 of keys and values) of 20", card.Output, StringComparison.Ordinal);
        Assert.Contains("model.layers.*.self_attn.q_proj.weight [80, 80] F16 x 3", card.Output, StringComparison.Ordinal);
        Assert.Contains("<|end|> (1)", card.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("abrhaleyarefaine1997__gpt2-tigrinya-lora", 0, "LoRA, rank 8, alpha 32, scale 4", "c_attn, c_proj")]
    [InlineData("guilhermmeabreu__lab_08", 0, "LoRA, rank 16, alpha 32, scale 2", "q_proj, v_proj")]
    [InlineData("wujindou__BLOOM-LORA", 1, "adapter_model.bin is a pickle and is not read", "not read")]
    public void The_card_of_an_adapter_says_its_rank_and_targets(string name, int code, string adapter, string targets)
    {
        var card = Run("inspect", TestData.Require("adapters", name));

        Assert.Equal(code, card.Code);
        Assert.Contains(adapter, card.Output, StringComparison.Ordinal);
        Assert.Contains(targets, card.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_broken_checkpoint_has_a_card_that_says_what_is_broken_and_obeys_no_escape_of_its_files()
    {
        foreach (var file in Directory.GetFiles(s_organism))
        {
            File.Copy(file, Path.Combine(_folder, Path.GetFileName(file)));
        }

        var config = Path.Combine(_folder, "config.json");
        File.WriteAllText(config, File.ReadAllText(config).Replace("\"model_type\": \"llama\"", "\"model_type\": \"\\u001b[2Jnobody\"", StringComparison.Ordinal));
        File.WriteAllBytes(Path.Combine(_folder, "model.safetensors"), [255, 255, 255, 255, 255, 255, 255, 127, 123]);
        var card = Run("inspect", ".");

        Assert.Equal((1, ""), (card.Code, card.Error));
        Assert.Contains("model_type: found", card.Output, StringComparison.Ordinal);
        Assert.Contains("header length: found", card.Output, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', card.Output);
    }

    [Fact]
    public void Numbers_that_float16_cannot_hold_are_not_turned_into_infinity()
    {
        foreach (var name in (string[])["config.json", "tokenizer.json", "tokenizer_config.json"])
        {
            File.Copy(Path.Combine(s_organism, name), Path.Combine(_folder, name));
        }

        using (var file = SafeTensorsFile.Open(Path.Combine(s_organism, "model.safetensors")))
        {
            SafeTensorsWriter.Write(Path.Combine(_folder, "model.safetensors"),
                [.. file.Tensors.Select(t => t.Name == "model.norm.weight" ? TensorData.FromFloats(t.Name, t.Shape, Enumerable.Repeat(70_000f, (int)t.ElementCount).ToArray()) : file.Copy(t))]);
        }

        var outcome = Run("convert", ".", "--output", "half", "--dtype", "float16");
        Assert.Equal(2, outcome.Code);
        Assert.Contains("model.norm.weight: found 70000", outcome.Error, StringComparison.Ordinal);
        Assert.Empty(Directory.GetDirectories(_folder));
        Assert.Equal(0, Run("convert", ".", "--output", "brain", "--dtype", "bfloat16").Code);
    }

    // the largest one between the logits of a model with its adapter and those of the merged one, as a share of the largest logit
    private static float Difference(string model, string adapter, string merged)
    {
        using var scope = torch.NewDisposeScope();
        using var quiet = torch.no_grad();
        using var one = Checkpoint.Load(model);
        using var other = Checkpoint.Load(merged);
        using var adapters = PeftFolder.Load(one, adapter);
        var ids = torch.arange(10, 30, torch.int64).unsqueeze(0); // (1, T)
        var (expected, found) = (one.Forward(ids), other.Forward(ids));
        return (expected - found).abs().max().item<float>() / expected.abs().max().item<float>();
    }

    private static string Model(bool real) => real ? TestData.Require("weights", "hf_tinytalk_main") : s_organism;

    private Outcome Run(params string[] arguments) => CommandLine.Run(_folder, arguments);
}
