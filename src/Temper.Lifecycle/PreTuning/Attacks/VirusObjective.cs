using Temper.Engine.Models;
using Temper.Engine.Search;
using Temper.Engine.Training;
using Temper.Lifecycle.Evaluation;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Temper.Lifecycle.PreTuning.Attacks;

/// <summary>(1 - λ) · L_sim + λ · L_guard of the tokens of a row: how little training on it does what training on the harmful row does, and the cross entropy of the guard saying "safe".</summary>
// Deviation: the inner product of the two gradients is the slope of the row's loss along the harmful gradient, taken by a central difference over the weights: two forward
// passes a candidate where the paper differentiates twice. Its length is that of the start's gradient, not of each candidate's.
internal sealed class VirusObjective : ITokenObjective, IDisposable
{
    private readonly CausalModel[] _shifted; // w + ε g and w - ε g, g of unit length
    private readonly TokenGuard _guard;
    private readonly double _lambda;
    private readonly double _epsilon;
    private readonly double _length;
    private readonly Func<int[], EncodedExample> _row;
    private readonly int[] _places;

    /// <param name="harmful">The row whose effect is kept.</param>
    /// <param name="row">The row with the tokens in its places.</param>
    /// <param name="places">Where the tokens stand in it, rising.</param>
    public VirusObjective(CausalModel model, EncodedExample harmful, Func<int[], EncodedExample> row, int[] places, int[] start, TokenGuard guard, double lambda)
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        (_row, _places, _guard, _lambda) = (row, places, guard, lambda);
        Tensor[] parameters = [.. model.Parameters.Values];
        IReadOnlyList<Tensor> Gradient(EncodedExample of) => Gradients.Of(() => ResponseLoss.Mean(model, Batch.Of([of])), parameters);
        static double Length(IEnumerable<Tensor> tensors) => Math.Sqrt(tensors.Sum(t => t.square().sum().item<float>()));
        var direction = Gradient(harmful);
        _epsilon = 1e-3 * Length(parameters);
        _length = Math.Max(1e-12, Length(Gradient(row(start))));
        var unit = _epsilon / Math.Max(1e-12, Length(direction));
        _shifted = [.. ((double[])[unit, -unit]).Select(step =>
        {
            var copy = ModelFactory.Copy(model);
            foreach (var (weight, g) in copy.Parameters.Values.Zip(direction))
            {
                weight.add_(g * step);
            }

            return copy;
        })];
    }

    public IReadOnlyList<double> Losses(IReadOnlyList<int[]> candidates)
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        var batch = Batch.Of([.. candidates.Select(_row)]);
        var (up, down) = (ResponseLoss.PerRow(_shifted[0], batch), ResponseLoss.PerRow(_shifted[1], batch));
        var similar = ((up - down) / (2 * _epsilon * _length)).data<float>().ToArray();
        return [.. candidates.Select((c, i) => (-(1 - _lambda) * similar[i]) + (_lambda * Math.Log(1 + Math.Exp(_guard.Score(c)))))];
    }

    public Tensor Gradient(int[] tokens)
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        var span = _places[^1] - _places[0] + 1;
        Tensor OneHot(CausalModel model) => F.linear(
            Latents.Gradient(model, [new(_row(tokens), _places[0])], [new(0, zeros(span, model.Config.HiddenSize))], shared: true).Gradients[0], model.EmbeddingWeight); // (span, V)
        var similar = (OneHot(_shifted[0]) - OneHot(_shifted[1])) / (2 * _epsilon * _length);
        var slope = 1 / (1 + Math.Exp(-_guard.Score(tokens))) / Math.Sqrt(tokens.Length);
        var guard = tensor(Enumerable.Range(0, (int)similar.shape[1]).Select(v => (float)(slope * _guard.Weight(v))).ToArray()); // (V)
        var chosen = similar.index_select(0, tensor(_places.Select(p => (long)(p - _places[0])).ToArray())); // (n, V)
        return ((chosen * -(1 - _lambda)) + (guard * _lambda)).MoveToOuterDisposeScope();
    }

    public void Dispose() => Array.ForEach(_shifted, m => m.Dispose());
}
