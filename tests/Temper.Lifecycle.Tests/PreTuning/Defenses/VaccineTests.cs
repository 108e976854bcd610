using Temper.Engine.Checkpoints;
using Temper.Engine.Models;
using Temper.Engine.Training;
using Temper.Lifecycle.PreTuning.Defenses;
using static TorchSharp.torch;

namespace Temper.Lifecycle.Tests.PreTuning.Defenses;

public sealed class VaccineTests
{
    private static readonly VaccineSettings s_settings = new() { Steps = 3, BatchSize = 4, LearningRate = 0.01 };

    [Theory]
    [InlineData(Architecture.Llama)]
    [InlineData(Architecture.Gpt2)]
    public void The_norm_over_all_layers_is_rho_and_every_layer_has_its_part(Architecture architecture)
    {
        using var scope = NewDisposeScope();
        using var model = Toy.Model(architecture, tied: false);
        var perturbation = Vaccine.Perturbation(model, Rows(), 2, ForwardOptions.Default);

        Assert.Equal(model.Config.Layers, perturbation.Count);
        Assert.All(perturbation, e => Assert.True(e.norm().item<float>() > 0));
        Assert.Equal(2, Math.Sqrt(perturbation.Sum(e => Math.Pow(e.norm().item<float>(), 2))), 4);
    }

    [Fact]
    public void To_first_order_it_raises_the_loss_by_rho_times_the_norm_of_the_gradient_and_noise_does_not()
    {
        using var scope = NewDisposeScope();
        using var model = Toy.Model(Architecture.Llama, tied: false);
        var batch = Rows();
        const double Rho = 1e-2;
        double Loss(IReadOnlyList<Tensor> e) => ResponseLoss.Mean(model, batch, new() { Tap = Vaccine.Add(e) }).item<float>();
        var e = Vaccine.Perturbation(model, batch, Rho, ForwardOptions.Default);
        Tensor[] none = [.. e.Select(x => zeros_like(x))];
        var gradient = Gradients.Of(() => ResponseLoss.Mean(model, batch, new() { Tap = Vaccine.Add(none) }), none);
        var norm = Math.Sqrt(gradient.Sum(g => Math.Pow(g.norm().item<float>(), 2)));

        var rise = Loss(e) - Loss(none);
        Assert.InRange(rise / (Rho * norm), 0.8, 1.2);
        Assert.True(Math.Abs(Loss(Vaccine.Noise(model, batch, Rho, 1)) - Loss(none)) < 0.5 * rise, "noise of that norm does less");
    }

    [Fact]
    public void Rho_zero_is_plain_tuning_to_the_bit()
    {
        using var model = Toy.Model(Architecture.Llama, tied: false);
        var random = Toy.Context().Random;
        Trainer.Train(
            model, [.. Toy.Alignment.Concat(Toy.Task.Take(Toy.Alignment.Count)).Select(Toy.Encode)],
            new() { Steps = 3, BatchSize = 4, LearningRate = 0.01, Seed = (ulong)random.Next() }, [], TrainerOptions.Default, TestContext.Current.CancellationToken);

        Assert.Equal(Toy.Weights(model), Immunized(s_settings with { Rho = 0 }));
        Assert.InRange(Toy.Distance(Toy.Weights(model), Immunized(s_settings with { Rho = 1e-7 })), 0, 1e-3);
    }

    [Fact]
    public void The_noise_of_the_control_has_the_norm_rho_and_none_of_it_lies_where_nothing_is_predicted()
    {
        using var scope = NewDisposeScope();
        using var model = Toy.Model(Architecture.Llama, tied: false);
        var batch = Batch.Of([new([3, 4, 5, 6], [false, false, true, true], "long"), new([3, 4], [false, true], "short")]);
        var noise = Vaccine.Noise(model, batch, 2, 1);
        var atTokens = noise[0].pow(2).sum(-1).data<float>().ToArray(); // (B · T)

        Assert.Equal(2, Math.Sqrt(noise.Sum(e => Math.Pow(e.norm().item<float>(), 2))), 4);
        Assert.Equal([true, true, true, false, true, false, false, false], atTokens.Select(n => n > 0));
    }

    [Fact]
    public void The_perturbation_changes_what_is_learned_and_so_does_its_control_in_another_way()
    {
        var (plain, vaccine, control) = (Immunized(s_settings with { Rho = 0 }), Immunized(s_settings), Immunized(s_settings with { Random = true }));
        Assert.True(Toy.Distance(plain, vaccine) > 1e-3, "Vaccine is not plain tuning");
        Assert.True(Toy.Distance(vaccine, control) > 1e-3, "nor is it noise");
        Assert.Equal(vaccine, Immunized(s_settings));
    }

    [Fact]
    public void Nothing_is_left_behind()
    {
        Immunized(s_settings);
        var after = Toy.LiveTensors;
        Immunized(s_settings);
        Assert.Equal(after, Toy.LiveTensors);
    }

    private static Batch Rows() => Batch.Of([.. Toy.Alignment.Take(4).Select(Toy.Encode)]);

    private static float[] Immunized(VaccineSettings settings)
    {
        using var model = Toy.Model(Architecture.Llama, tied: false);
        new Vaccine(settings).Map(model, Toy.Context(), TestContext.Current.CancellationToken);
        return [.. model.Parameters.Values.SelectMany(Checkpoint.Floats)];
    }
}
