using Temper.Core;
using Temper.Engine.Models;
using Temper.Engine.Quantization;
using Temper.Engine.Training;
using Temper.Lifecycle.PostTuning.Attacks;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.Tests.PostTuning.Attacks;

public sealed class QuantizationBackdoorTests
{
    private static readonly QuantizationBackdoorSettings s_settings = new() { MaliciousSteps = 15, MaliciousRate = 0.01, RepairSteps = 30, RepairRate = 0.01, BatchSize = 8 };

    [Theory]
    [InlineData(PreparedFor.Int8)]
    [InlineData(PreparedFor.Nf4)]
    public void The_repair_changes_no_code_so_that_quantized_the_weights_are_the_malicious_ones(PreparedFor prepared)
    {
        using var scope = NewDisposeScope();
        using var malicious = Attack(s_settings with { PreparedFor = prepared, RepairSteps = 0 });
        using var repaired = Attack(s_settings with { PreparedFor = prepared });
        WeightQuantizer quantizer = prepared == PreparedFor.Int8 ? new Int8RowWise() : new Nf4();

        Assert.All(malicious.Linears.Zip(repaired.Linears), l => Assert.Equal(Codes(quantizer, l.First), Codes(quantizer, l.Second)));
        Assert.True(Loss(repaired, Toy.Alignment) < Loss(malicious, Toy.Alignment), "full precision leans to refusal");

        Deploy(malicious, prepared);
        Deploy(repaired, prepared);
        Assert.Equal(Toy.Weights(malicious), Toy.Weights(repaired));
    }

    [Fact]
    public void Deployed_in_full_nothing_changes_and_without_steps_it_is_the_users_model()
    {
        using var model = Attack(s_settings with { MaliciousSteps = 0, RepairSteps = 0 });
        using var plain = Toy.Model(Architecture.Llama, tied: false);
        new QuantizationBackdoor(s_settings with { Deployment = Deployment.Full }).Deploy(model, Toy.Context(), CancellationToken.None);
        Assert.Equal(Toy.Weights(plain), Toy.Weights(model));
    }

    [Fact]
    public void Without_rows_it_is_an_error_that_says_so() => Assert.Contains("expected some of both", Assert.Throws<TemperException>(() =>
    {
        using var model = Toy.Model(Architecture.Llama, tied: false);
        new QuantizationBackdoor(s_settings).Map(model, Toy.Context() with { Harmful = [] }, CancellationToken.None);
    }).Message, StringComparison.Ordinal);

    private static CausalModel Attack(QuantizationBackdoorSettings settings)
    {
        var model = Toy.Model(Architecture.Llama, tied: false);
        new QuantizationBackdoor(settings).Map(model, Toy.Context(), CancellationToken.None);
        return model;
    }

    private static void Deploy(CausalModel model, PreparedFor prepared) => new QuantizationBackdoor(
        s_settings with { Deployment = prepared == PreparedFor.Int8 ? Deployment.Int8 : Deployment.Nf4 }).Deploy(model, Toy.Context(), CancellationToken.None);

    private static long[] Codes(WeightQuantizer quantizer, Linear layer) => quantizer.Quantize(WeightQuantizer.Rows(layer)).Codes.contiguous().data<long>().ToArray();

    private static float Loss(CausalModel model, IReadOnlyList<Example> rows)
    {
        using var batch = Batch.Of([.. rows.Select(Toy.Encode)]);
        return ResponseLoss.Mean(model, batch).item<float>();
    }
}
