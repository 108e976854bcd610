using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Engine.Models;

/// <summary>What Llama's relatives share: token embedding, RMSNorm, rotary positions, grouped-query attention, a head that may be tied.</summary>
public abstract class RotaryModel : CausalModel
{
    private readonly Rope rope;
    private readonly Rope? localRope;
    private readonly Tensor norm;

    protected RotaryModel(ModelConfig config, IReadOnlyDictionary<string, Tensor> parameters) : base(config, parameters)
    {
        norm = parameters["model.norm.weight"];
        EmbeddingWeight = parameters["model.embed_tokens.weight"];
        HeadWeight = config.TieWordEmbeddings ? EmbeddingWeight : parameters["lm_head.weight"];
        var size = (int)(config.HeadSize * config.RotaryShare);
        rope = new(size, config.MaxPositions, config.RopeTheta, config.RopeScaling);
        localRope = config.LocalRopeTheta is { } theta ? new(size, config.MaxPositions, theta, null) : null;
    }

    public sealed override Tensor EmbeddingWeight { get; }

    public sealed override Tensor HeadWeight { get; }

    protected override Tensor Enter(Tensor embeddings, Tensor positions) => embeddings;

    protected override Tensor[] Prepare(Tensor positions) => [.. rope.At(positions), .. localRope?.At(positions) ?? []];

    protected override Tensor FinalNorm(Tensor x) => RmsNorm(x, norm);

    protected virtual Tensor RmsNorm(Tensor x, Tensor weight) => Fused.RmsNorm(x, weight, Config.NormEpsilon);

    /// <summary>Rotates (B, H, T, d) by the positions that <see cref="Prepare"/> was given.</summary>
    protected Tensor Rotate(int layer, Tensor x, Tensor[] state)
    {
        var at = localRope is not null && Config.WindowOf(layer) > 0 ? 2 : 0;
        return Rope.Rotate(x, state[at], state[at + 1]);
    }

    protected Linear Get(string name) => new(name, Parameters[$"{name}.weight"], Parameters.GetValueOrDefault($"{name}.bias"));

    protected override void Dispose(bool disposing)
    {
        rope.Dispose();
        localRope?.Dispose();
        base.Dispose(disposing);
    }
}
