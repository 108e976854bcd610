using Temper.Core;
using Temper.Engine.Checkpoints;
using Temper.Engine.Models;
using Temper.Engine.Quantization;
using Temper.Lifecycle.PostTuning.Defenses;
using static TorchSharp.torch;

namespace Temper.Lifecycle.Tests.PostTuning.Defenses;

public sealed class WeightNoiseTests
{
    [Theory]
    [InlineData(0.02)]
    [InlineData(0.1)]
    public void The_noise_of_a_layer_is_the_given_share_of_its_weights(double sigma)
    {
        using var models = new Repair();
        using var before = ModelFactory.Copy(models.Tuned);

        models.Map(new WeightNoise(new() { Sigma = sigma }));

        Assert.All(models.Tuned.Linears.Zip(before.Linears), l =>
        {
            double Size(IEnumerable<float> values) => Math.Sqrt(values.Average(v => (double)v * v));
            var (after, was) = (Checkpoint.Floats(l.First.Weight), Checkpoint.Floats(l.Second.Weight));
            Assert.Equal(sigma, Size(after.Zip(was, (a, b) => a - b)) / Size(was), 0.2 * sigma);
        });
        Assert.Equal(Checkpoint.Floats(before.EmbeddingWeight), Checkpoint.Floats(models.Tuned.EmbeddingWeight));
    }

    [Fact]
    public void Codes_of_a_quantizer_change_and_without_noise_they_do_not()
    {
        double Changed(double sigma)
        {
            using var scope = NewDisposeScope();
            using var models = new Repair();
            var before = models.Tuned.Linears.Select(l => new Nf4().Quantize(WeightQuantizer.Rows(l)).Codes).ToArray();
            models.Map(new WeightNoise(new() { Sigma = sigma }));
            return models.Tuned.Linears.Zip(before, (l, b) => new Nf4().Quantize(WeightQuantizer.Rows(l)).Codes.ne(b).to(ScalarType.Float32).mean().item<float>()).Average();
        }

        Assert.Equal(0, Changed(0));
        Assert.InRange(Changed(0.1), 0.1, 0.6);
    }
}
