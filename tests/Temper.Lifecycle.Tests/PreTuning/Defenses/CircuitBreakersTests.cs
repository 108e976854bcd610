using Temper.Core;
using Temper.Engine.Models;
using Temper.Lifecycle.PreTuning.Defenses;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.Tests.PreTuning.Defenses;

public sealed class CircuitBreakersTests
{
    [Fact]
    public void Orthogonal_and_opposite_states_are_broken_and_only_masked_tokens_count()
    {
        using var scope = NewDisposeScope();
        var original = tensor(new[] { 1f, 0, 1, 0, 1, 0, 1, 0 }, 1, 4, 2);
        var state = tensor(new[] { 2f, 0, 0, 3, -1, 0, 1, 1 }, 1, 4, 2);
        Tensor Mask(params float[] m) => tensor(m, 1, 4);

        Assert.Equal(0.5f, CircuitBreakers.Breaking(state, original, Mask(1, 1, 0, 0)).item<float>(), 1e-5f);
        Assert.Equal(0, CircuitBreakers.Breaking(state, original, Mask(0, 1, 1, 0)).item<float>(), 1e-5f);
        Assert.Equal(1.5f, CircuitBreakers.Keeping(state, original, Mask(1, 0, 1, 0)).item<float>(), 1e-5f);
        Assert.Equal(0, CircuitBreakers.Keeping(original, original, Mask(1, 1, 1, 1)).item<float>(), 1e-5f);
    }

    [Fact]
    public void States_of_complying_answers_turn_and_blocks_above_the_targets_stay_as_they_are()
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        using var before = Toy.Model(Architecture.Llama, tied: false);
        using var model = ModelFactory.Copy(before);
        new CircuitBreakers(new() { Steps = 40, BatchSize = 4, LearningRate = 0.02, Layers = [0, 1], Rank = 4 }).Map(model, Toy.Context(), TestContext.Current.CancellationToken);

        double Cosine(IEnumerable<Example> rows)
        {
            var batch = Engine.Training.Batch.Of([.. rows.Select(Toy.Encode)]);
            return CircuitBreakers.Breaking(Activations.States(model, batch.Ids)[2], Activations.States(before, batch.Ids)[2], batch.Answers()).item<float>();
        }

        Assert.True(Cosine(Toy.Harmful) < Cosine(Toy.Task) - 0.1, $"{Cosine(Toy.Harmful)} should be below {Cosine(Toy.Task)}");
        Assert.All(before.Parameters.Where(p => LayerNames.BlockOf(p.Key) is null or 2), p => Assert.Equal(0, (p.Value - model.Parameters[p.Key]).abs().max().item<float>()));
        Assert.Contains(before.Parameters, p => LayerNames.BlockOf(p.Key) == 1 && (p.Value - model.Parameters[p.Key]).abs().max().item<float>() > 1e-4);
    }

    [Fact]
    public void A_layer_that_the_model_lacks_is_an_error_that_names_it()
    {
        using var model = Toy.Model(Architecture.Llama, tied: false);

        Assert.Contains("found 0, 3, expected numbers from 0 to 2",
            Assert.Throws<TemperException>(() => new CircuitBreakers(new() { Layers = [0, 3] }).Map(model, Toy.Context(), TestContext.Current.CancellationToken)).Message, StringComparison.Ordinal);
    }
}
