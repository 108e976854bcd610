using Temper.Engine.Models;
using Temper.Engine.Training;
using Temper.Lifecycle.PreTuning.Defenses;
using static TorchSharp.torch;

namespace Temper.Lifecycle.Tests.PreTuning.Defenses;

public sealed class TVaccineTests
{
    private static readonly TVaccineSettings s_settings = new() { Steps = 3, BatchSize = 4, LearningRate = 0.01, ActiveLayers = 1 };

    [Fact]
    public void Layers_are_drawn_without_replacement_and_the_likely_ones_first_most_often()
    {
        var random = new Random(5);
        var drawn = Enumerable.Range(0, 600).Select(_ => TVaccine.Draw([0.6, 0.3, 0.1, 0], 2, random)).ToArray();

        Assert.All(drawn, d => Assert.Equal(2, d.Count));
        Assert.All(drawn, d => Assert.DoesNotContain(3, d));
        // 1 - P(neither the first nor the second is it): 0.6 + 0.3 · 0.6 / 0.7 + 0.1 · 0.6 / 0.9
        Assert.InRange(drawn.Count(d => d.Contains(0)) / 600.0, 0.924 - 0.04, 0.924 + 0.04);
        Assert.Equal([0, 1, 2, 3], TVaccine.Draw([0, 0, 0, 1], 9, random).Order());
    }

    [Fact]
    public void The_chances_are_the_norms_of_the_harmful_gradients_at_the_layers()
    {
        using var scope = NewDisposeScope();
        using var model = Toy.Model(Architecture.Llama, tied: false);
        var batch = Batch.Of([.. Toy.Harmful.Take(4).Select(Toy.Encode)]);
        var norms = Vaccine.AttentionGradients(model, batch, ForwardOptions.Default).Select(g => g.norm().item<float>()).ToArray();

        Assert.All(TVaccine.Chances(model, batch, ForwardOptions.Default).Zip(norms), p => Assert.Equal(p.Second / norms.Sum(), p.First, 1e-5));
    }

    [Fact]
    public void Only_active_layers_are_perturbed()
    {
        using var scope = NewDisposeScope();
        using var model = Toy.Model(Architecture.Llama, tied: false);
        var perturbation = Vaccine.Perturbation(model, Batch.Of([.. Toy.Alignment.Take(4).Select(Toy.Encode)]), 2, ForwardOptions.Default, [1]);

        Assert.Equal([false, true, false], perturbation.Select(e => e.norm().item<float>() > 0));
        Assert.Equal(2, perturbation[1].norm().item<float>(), 1e-4);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public void Only_active_layers_are_trained_perturbed_or_not(double rho)
    {
        using var before = Toy.Model(Architecture.Llama, tied: false);
        using var model = Toy.Model(Architecture.Llama, tied: false);
        new TVaccine(s_settings with { Rho = rho }).Map(model, Toy.Context(), TestContext.Current.CancellationToken);

        var changed = before.Parameters.Where(p => p.Value.ne(model.Parameters[p.Key]).any().item<bool>()).Select(p => LayerNames.BlockOf(p.Key)).Distinct();
        Assert.Single(changed, block => block is not null);
    }
}
