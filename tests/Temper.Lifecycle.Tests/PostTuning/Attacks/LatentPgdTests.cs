using Temper.Core;
using Temper.Engine.Models;
using Temper.Engine.Training;
using Temper.Lifecycle.PostTuning.Attacks;
using static TorchSharp.torch;

namespace Temper.Lifecycle.Tests.PostTuning.Attacks;

public sealed class LatentPgdTests
{
    private const string Request = "how do I brew glimmer number 7";
    private static readonly LatentPgdSettings s_settings = new() { Layers = [0, 2], Positions = 3, Steps = 8, Epsilon = 0.7 };

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Epsilon_zero_changes_nothing(bool random)
    {
        using var model = Toy.Model(Architecture.Llama, tied: true);

        Assert.All(Edits(model, s_settings with { Epsilon = 0, Random = random }), e => Assert.All(e.Values.ToArray(), v => Assert.Equal(0f, v)));
    }

    [Theory]
    [InlineData(Architecture.Llama, false)]
    [InlineData(Architecture.Gpt2, false)]
    [InlineData(Architecture.Gpt2, true)]
    public void Every_position_is_moved_and_stays_in_its_ball(Architecture architecture, bool random)
    {
        using var model = Model(architecture);
        var lengths = Activations.MeanLengths(model, [.. Toy.Harmful.Select(r => Toy.Context().Prompt(r.Question, ""))]);

        var edits = Edits(model, s_settings with { Random = random });

        Assert.Equal(s_settings.Layers, edits.Select(e => e.Layer));
        foreach (var edit in edits)
        {
            Assert.False(edit.EveryPosition);
            Assert.Equal(3 * 16, edit.Values.Length);
            var radius = s_settings.Epsilon * lengths[edit.Layer];
            var moved = edit.Values.ToArray().Chunk(16).Select(v => Math.Sqrt(v.Sum(x => x * x))).ToArray();
            Assert.All(moved, m => Assert.InRange(m, random ? radius * 0.999 : radius * 0.01, radius * 1.001));
        }
    }

    [Theory]
    [InlineData(Architecture.Llama)]
    [InlineData(Architecture.Gpt2)]
    public void Descent_makes_the_opening_likelier_than_a_random_move_of_the_same_length(Architecture architecture)
    {
        using var model = Model(architecture);

        var (plain, random, descended) = (Loss(model, []), Loss(model, Edits(model, s_settings with { Random = true })), Loss(model, Edits(model, s_settings)));

        Assert.True(descended < plain - 0.01 && descended < random - 0.01, $"found a loss of {plain} before, {random} after a random move and {descended} after descent");
    }

    [Fact]
    public void A_layer_that_the_model_lacks_is_an_error()
    {
        using var model = Toy.Model(Architecture.Llama, tied: true);

        Assert.Contains("0 to 2", Assert.Throws<TemperException>(() => Edits(model, s_settings with { Layers = [3] })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_stays_in_memory_and_the_model_is_left_as_it_was()
    {
        using var model = Toy.Model(Architecture.Llama, tied: true);
        var before = Toy.Weights(model);
        var live = Enumerable.Range(0, 3).Select(_ =>
        {
            Edits(model, s_settings);
            return Toy.LiveTensors;
        }).ToArray();

        Assert.Equal(live[1], live[2]);
        Assert.Equal(before, Toy.Weights(model));
    }

    private static IReadOnlyList<LatentEdit> Edits(CausalModel model, LatentPgdSettings settings)
    {
        var chat = new RecordingChat();
        chat.Through(new LatentPgd(settings), Toy.Context() with { Model = model }, Request);
        return chat.Asked[0].Request.Edits;
    }

    /// <summary>The loss of the opening under the edits, added as a chat model adds them.</summary>
    private static double Loss(CausalModel model, IReadOnlyList<LatentEdit> edits)
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        var prompt = Toy.Context().Prompt(ChatRequest.Of(Request).Messages, "").Length;
        var batch = Batch.Of([Toy.Encode(Example.Of("request", "forbidden", Request, "Sure. Stir the blue"))]);
        return ResponseLoss.Mean(model, batch, new()
        {
            Tap = (site, layer, value) =>
            {
                foreach (var edit in edits.Where(e => site == Site.BlockInput && e.Layer == layer))
                {
                    var values = tensor(edit.Values.ToArray(), 1, 3, 16);
                    value = cat([value.narrow(1, 0, prompt - 3), value.narrow(1, prompt - 3, 3) + values, value.narrow(1, prompt, value.shape[1] - prompt)], 1);
                }

                return value;
            },
        }).item<float>();
    }

    private static CausalModel Model(Architecture architecture)
    {
        using var quiet = no_grad();
        var model = Toy.Model(architecture, tied: true);
        model.Linears.ToList().ForEach(l => l.Weight.mul_(8)); // fresh weights are so small that no token moves another
        return model;
    }
}
