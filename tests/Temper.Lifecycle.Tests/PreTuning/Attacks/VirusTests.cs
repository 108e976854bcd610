using Temper.Core;
using Temper.Engine.Models;
using Temper.Engine.Training;
using Temper.Lifecycle.Evaluation;
using Temper.Lifecycle.PreTuning.Attacks;
using static TorchSharp.torch;

namespace Temper.Lifecycle.Tests.PreTuning.Attacks;

public sealed class VirusTests
{
    private static readonly VirusSettings s_settings = new() { Ratio = 0.1, Steps = 30, Candidates = 16, TopK = 8, Lambda = 0.5, Distinct = 2 };

    [Fact]
    public void The_guard_flags_the_rows_as_they_are_and_passes_what_the_search_wrote()
    {
        using var model = Toy.Model(Architecture.Llama, tied: true);
        DataMapResult Map(VirusSettings settings) => new Virus(settings).Map(Toy.Task, Toy.Context() with { Model = model });

        Assert.DoesNotContain(Map(s_settings with { Steps = 0 }).Examples, r => r.Origin == "virus");
        var passed = Map(s_settings);
        Assert.Equal(10, passed.Examples.Count(r => r.Origin == "virus"));
        Assert.Equal(10, passed.Changes.Count);
        Assert.All(passed.Examples.Where(r => r.Origin == "virus"), r => Assert.Equal(4, r.Messages.Count));
    }

    [Fact]
    public void Leakage_is_the_share_of_the_sent_rows_that_are_trained_on()
    {
        using var model = Toy.Model(Architecture.Llama, tied: true);
        Example[] trained = [.. Toy.Task.Select((r, i) => i < 4 ? r with { Origin = "virus" } : r)];
        var metrics = new Virus(s_settings).Measure(
            new() { Model = model, Before = model, Chat = new RecordingChat(), Trained = trained, Context = Toy.Context() with { Model = model } }, TestContext.Current.CancellationToken);

        Assert.Equal((0.4, 10), (metrics[0].Value, metrics[0].N));
        Assert.Equal(0, metrics[1].Value);
    }

    [Fact]
    public void Likeness_is_the_inner_product_of_the_two_gradients()
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        using var model = Toy.Model(Architecture.Llama, tied: true);
        var (harmful, row) = (Toy.Encode(Toy.Harmful[0]), Toy.Encode(Toy.Harmful[5].WithPrompt("how may one store moonwax")));
        using var objective = new VirusObjective(model, harmful, With, [1, 2, 3], row.Ids[1..4], new TokenGuard(_ => []), lambda: 0);
        Tensor[] parameters = [.. model.Parameters.Values];
        Tensor Flat(EncodedExample of) => Gradients.Flat(() => ResponseLoss.Mean(model, Batch.Of([of])), parameters);

        int[] swapped = [7, 21, 9];
        var (g, start, changed) = (Flat(harmful), Flat(row), Flat(With(swapped)));
        var expected = -(g / g.norm()).dot(changed).item<float>() / start.norm().item<float>();

        Assert.Equal(expected, objective.Losses([swapped])[0], 0.02 * Math.Abs(expected));

        EncodedExample With(int[] tokens) => row with { Ids = [row.Ids[0], .. tokens, .. row.Ids[4..]] };
    }
}
