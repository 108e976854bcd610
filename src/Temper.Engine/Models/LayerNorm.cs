using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Temper.Engine.Models;

/// <summary>(x - mean) / sqrt(variance + ε) · w + b over the last dimension (Ba et al. 2016).</summary>
internal sealed record LayerNorm(Tensor Weight, Tensor Bias, double Epsilon)
{
    public static LayerNorm Of(IReadOnlyDictionary<string, Tensor> parameters, string name, double epsilon) =>
        new(parameters[$"{name}.weight"], parameters[$"{name}.bias"], epsilon);

    public Tensor Apply(Tensor x) => F.layer_norm(x, [Weight.shape[0]], Weight, Bias, Epsilon);
}
