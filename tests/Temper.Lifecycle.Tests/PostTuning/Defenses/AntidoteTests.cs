using Temper.Core;
using Temper.Engine.Checkpoints;
using Temper.Engine.Models;
using Temper.Lifecycle.PostTuning.Defenses;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.Tests.PostTuning.Defenses;

public sealed class AntidoteTests
{
    [Theory]
    [InlineData(Architecture.Llama, 0.25, false)]
    [InlineData(Architecture.Gpt2, 0.25, false)]
    [InlineData(Architecture.Llama, 0.125, true)]
    public void Exactly_the_share_of_every_outputs_weights_is_zero(Architecture architecture, double density, bool random)
    {
        using var models = new Repair(architecture);

        models.Map(new Antidote(new() { Density = density, Random = random }));

        using var scope = NewDisposeScope();
        Assert.All(models.Tuned.Linears, l => Assert.All(
            (l.Transposed ? l.Weight.t() : l.Weight).eq(0).sum(1).data<long>().ToArray(), zeros => Assert.Equal((long)Math.Round(density * l.InFeatures), zeros)));
    }

    [Fact]
    public void What_is_cut_does_not_depend_on_the_scale_of_the_inputs()
    {
        using var scope = NewDisposeScope();
        float[] Pruned(double scale)
        {
            using var model = Toy.Model(Architecture.Llama, tied: true);
            var layer = model.Linears[0];
            var x = randn([20, layer.InFeatures], ScalarType.Float32, generator: new Generator(5)) * scale;
            Antidote.Prune(layer, x.t().mm(x), 0.3, null);
            return Checkpoint.Floats(layer.Weight);
        }

        Assert.Equal(Pruned(1), Pruned(7.5));
    }

    [Fact]
    public void The_weights_of_the_strongest_inputs_go_first()
    {
        using var scope = NewDisposeScope();
        using var model = Toy.Model(Architecture.Llama, tied: true);
        var layer = model.Linears[0];
        using (no_grad())
        {
            layer.Weight.fill_(1);
        }

        var norms = zeros(layer.InFeatures);
        norms[3] = 4;
        norms[7] = 9;

        Antidote.Prune(layer, diag(norms), 2.0 / layer.InFeatures, null);

        Assert.Equal(2 * layer.OutFeatures, layer.Weight.eq(0).sum().item<long>());
        Assert.Equal(0, layer.Weight.index_select(1, tensor(new long[] { 3, 7 })).abs().sum().item<float>());
    }

    [Fact]
    public void Without_refusals_to_ask_for_the_error_says_so()
    {
        using var models = new Repair();
        Assert.Contains("found no alignment rows", Assert.Throws<TemperException>(
            () => new Antidote(new()).Map(models.Tuned, models.Context with { Alignment = [] }, CancellationToken.None)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_stays_in_memory()
    {
        using var models = new Repair();
        var live = models.Live(new Antidote(new()));
        Assert.Equal(live[1], live[2]);
    }
}
