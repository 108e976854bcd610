using Temper.Engine.Models;
using static TorchSharp.torch;

namespace Temper.Engine.Generation;

/// <summary>A second model of the same vocabulary that has a say in every token.</summary>
/// <param name="Combine">The logits to choose from, (B, V), of the model's own and the guide's.</param>
/// <param name="Steps">The first tokens of an answer, after which the guide is not asked.</param>
public sealed record DecodingGuide(CausalModel Model, Func<Tensor, Tensor, Tensor> Combine, int Steps = int.MaxValue);
