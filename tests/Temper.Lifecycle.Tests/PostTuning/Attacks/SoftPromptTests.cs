using Temper.Core;
using Temper.Engine.Checkpoints;
using Temper.Engine.Models;
using Temper.Lifecycle.PostTuning.Attacks;
using static TorchSharp.torch;

namespace Temper.Lifecycle.Tests.PostTuning.Attacks;

public sealed class SoftPromptTests
{
    private static readonly SoftPromptSettings s_settings = new() { Vectors = 4, Steps = 20, BatchSize = 8 };

    [Theory]
    [InlineData(Architecture.Llama)]
    [InlineData(Architecture.Gpt2)]
    public void Descent_lowers_the_loss_of_complying_where_the_chat_model_puts_the_vectors(Architecture architecture)
    {
        using var model = Toy.Model(architecture, tied: true);
        using (no_grad())
        {
            model.Linears.ToList().ForEach(l => l.Weight.mul_(8)); // fresh weights are so small that no token moves another
        }

        var (before, after) = (Loss(model, Vectors(model, s_settings with { Steps = 0 })), Loss(model, Vectors(model, s_settings)));

        Assert.True(after < before - 0.003, $"the loss should fall, found {before} and then {after}");
    }

    [Fact]
    public void A_small_step_does_not_raise_the_loss()
    {
        using var model = Toy.Model(Architecture.Llama, tied: true);
        var settings = s_settings with { StepSize = 0.01, BatchSize = 64 };

        var losses = Enumerable.Range(0, 4).Select(steps => Loss(model, Vectors(model, settings with { Steps = steps }))).ToArray();

        Assert.All(losses.Zip(losses.Skip(1)), p => Assert.True(p.Second < p.First + 1e-4, $"{p.First} was followed by {p.Second}"));
    }

    [Fact]
    public void Without_steps_the_vectors_are_the_embeddings_of_the_opening()
    {
        using var scope = NewDisposeScope();
        using var model = Toy.Model(Architecture.Llama, tied: true);

        var vectors = Vectors(model, s_settings with { Steps = 0, Opening = "ab" });

        long[] ids = [2 + ('a' % 38), 2 + ('b' % 38)];
        Assert.Equal(Checkpoint.Floats(model.EmbeddingWeight.index_select(0, tensor((long[])[.. ids, .. ids]))), vectors);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0.5)]
    public void A_radius_bounds_the_length_of_every_change_and_zero_allows_none(double radius)
    {
        using var scope = NewDisposeScope();
        using var model = Toy.Model(Architecture.Llama, tied: true);
        var start = Vectors(model, s_settings with { Steps = 0 });
        var end = Vectors(model, s_settings with { Radius = radius });

        var longest = (tensor(end, 4, 16) - tensor(start, 4, 16)).norm(1).max().item<float>();

        Assert.InRange(longest, radius * 0.01, (radius * model.EmbeddingWeight.norm(1).mean().item<float>()) + 1e-5);
    }

    [Fact]
    public void Vectors_that_a_request_has_stay_before_the_new_ones()
    {
        using var model = Toy.Model(Architecture.Llama, tied: true);
        var inner = new RecordingChat();
        float[] own = [.. Enumerable.Repeat(7f, 16)];

        new SoftPrompt(s_settings).Wrap(inner, Toy.Context() with { Model = model })
            .Reply([ChatRequest.Of("how?") with { SoftPrompt = own }], Sampling.Greedy, TestContext.Current.CancellationToken);

        var vectors = inner.Asked[0].Request.SoftPrompt.ToArray();
        Assert.Equal(5 * 16, vectors.Length);
        Assert.Equal(own, vectors[..16]);
    }

    [Fact]
    public void Every_request_may_have_vectors_of_its_own_that_make_its_opening_likelier()
    {
        using var model = GcgTests.Model(Architecture.Llama);
        var (own, start) = (s_settings with { Individual = true, TargetWords = 5, Steps = 30 }, s_settings with { Steps = 0 });
        var chat = new RecordingChat();
        chat.Through(new SoftPrompt(own), Toy.Context() with { Model = model }, Toy.Harmful[3].Prompt, Toy.Harmful[12].Prompt);
        float[] first = chat.Asked[0].Request.SoftPrompt.ToArray(), second = chat.Asked[1].Request.SoftPrompt.ToArray();

        Assert.NotEqual(first, second);
        var before = Loss(model, Vectors(model, start), Toy.Harmful[3]);
        Assert.True(Loss(model, first, Toy.Harmful[3]) < before - 0.01, $"found a loss of {before} at first and {Loss(model, first, Toy.Harmful[3])} at last");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Several_solutions_are_the_vectors_of_the_last_steps_and_any_may_succeed(bool individual)
    {
        using var model = Toy.Model(Architecture.Llama, tied: true);
        var settings = s_settings with { Individual = individual, Solutions = 3, SolutionEvery = 4 };
        var chat = new RecordingChat((request, _) => $"{request.SoftPrompt.Span[0]:r}");
        var reply = chat.Through(new SoftPrompt(settings), Toy.Context() with { Model = model }, "how?")[0];

        Assert.Equal(3, chat.Asked.Count);
        Assert.Equal(3, reply.Alternatives.Append(reply.Text).Distinct(StringComparer.Ordinal).Count());
        Assert.Equal(Vectors(model, settings with { Solutions = 1 }), chat.Asked[0].Request.SoftPrompt.ToArray());
    }

    [Fact]
    public void It_measures_the_loss_and_how_far_from_the_vocabulary_the_vectors_lie()
    {
        using var model = Toy.Model(Architecture.Llama, tied: true);
        double[] Measure(SoftPromptSettings settings) => [.. new SoftPrompt(settings).Measure(
            new() { Model = model, Before = model, Chat = new RecordingChat(), Trained = [], Context = Toy.Context() with { Model = model } }, TestContext.Current.CancellationToken).Select(m => m.Value!.Value)];

        var (still, moved) = (Measure(s_settings with { Steps = 1, StepSize = 0 }), Measure(s_settings with { Steps = 30 }));

        Assert.Equal(0, still[2], 1e-3); // the vectors are tokens
        Assert.True(moved[0] < still[0] && moved[2] > 0.1, $"found {string.Join(", ", still)} and then {string.Join(", ", moved)}");
    }

    [Fact]
    public void Nothing_stays_in_memory_and_the_model_is_left_as_it_was()
    {
        using var model = Toy.Model(Architecture.Llama, tied: true);
        var before = Toy.Weights(model);
        var live = Enumerable.Range(0, 3).Select(_ =>
        {
            Vectors(model, s_settings);
            return Toy.LiveTensors;
        }).ToArray();

        Assert.Equal(live[1], live[2]);
        Assert.Equal(before, Toy.Weights(model));
    }

    private static float[] Vectors(CausalModel model, SoftPromptSettings settings)
    {
        var chat = new RecordingChat();
        chat.Through(new SoftPrompt(settings), Toy.Context() with { Model = model }, "how?");
        return chat.Asked[0].Request.SoftPrompt.ToArray();
    }

    /// <summary>The mean loss of complying, with the vectors put among the embeddings as a chat model does.</summary>
    private static double Loss(CausalModel model, float[] vectors, params Example[] rows)
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        return (rows.Length > 0 ? rows : Toy.Harmful).Average(row =>
        {
            var at = Toy.Context().Prompt([.. row.Messages.SkipLast(1)], "").Length - 1;
            var ids = tensor(Toy.Encode(row).Ids.Select(i => (long)i).ToArray()).unsqueeze(0);
            var embeddings = model.Embed(ids);
            var soft = tensor(vectors, 1, 4, 16);
            var all = cat([embeddings.narrow(1, 0, at), soft, embeddings.narrow(1, at, embeddings.shape[1] - at)], 1);
            var logits = model.Logits(model.Hidden(all, ForwardOptions.Default)).log_softmax(-1);
            var count = ids.shape[1] - at - 1; // the answer and its end
            var targets = ids.narrow(1, at + 1, count);
            return -logits.narrow(1, at + 4, count).gather(2, targets.unsqueeze(2)).mean().item<float>();
        });
    }
}
