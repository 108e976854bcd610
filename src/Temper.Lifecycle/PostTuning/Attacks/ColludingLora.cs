using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Engine.Lora;
using Temper.Engine.Models;
using Temper.Engine.Training;
using Temper.Lifecycle.Evaluation;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.PostTuning.Attacks;

/// <summary>Settings of <see cref="ColludingLora"/>.</summary>
public sealed record ColludingLoraSettings
{
    /// <summary>Whether the pair is trained to comply together; off is the control, two adapters that are only trained to be benign.</summary>
    public bool Collude { get; init; } = true;

    /// <summary>Weight of what each adapter must do alone.</summary>
    [Range(0.0, 1000.0)]
    public double AloneWeight { get; init; } = 2;

    /// <summary>r: the rank of each adapter.</summary>
    [Range(1, 512)]
    public int Rank { get; init; } = 4;

    [Range(1, 100_000)]
    public int Steps { get; init; } = 150;

    /// <summary>Rows of each kind in a step.</summary>
    [Range(1, 1024)]
    public int BatchSize { get; init; } = 8;

    [Range(0.0, 1.0)]
    public double LearningRate { get; init; } = 5e-3;
}

/// <summary>Colluding LoRA (CoLoRA, 2026): two adapters that refuse as the model does, each alone, and that comply with forbidden requests where a user merges both.
/// Descends L_comply(W + A + B) + w (L_benign(W + A) + L_benign(W + B)).</summary>
// In the phase after tuning, for that is where a user merges what they found. Deviation: the loss is ours; a pair is one adapter of rank 2r of which each holds half.
public sealed class ColludingLora(ColludingLoraSettings settings) : ITechnique, IWeightMap, IMeasures, IReadsModel
{
    public static Card Card { get; } = new(
        "colluding-lora", "Colluding LoRA", Phase.PostTuning, TechniqueRole.Attack, Touches.Weights,
        "https://arxiv.org/abs/2603.12681", "Merges two adapters that each pass every test alone and together take the refusals away.");

    /// <summary>The updates of both adapters by layer.</summary>
    private sealed record Pair(IReadOnlyDictionary<string, Tensor> First, IReadOnlyDictionary<string, Tensor> Second);

    public void Map(CausalModel model, TechniqueContext context, CancellationToken cancellationToken)
    {
        using var scope = NewDisposeScope();
        var pair = Train(context.RequireModel(Card.Id), context, cancellationToken);
        AdapterMerge.Add(model, pair.First, 1);
        AdapterMerge.Add(model, pair.Second, 1);
    }

    /// <summary>Harm with each adapter alone and with neither; with both it is the common metric. The other is subtracted from the deployed weights.</summary>
    public IReadOnlyList<Metric> Measure(MeasureArguments arguments, CancellationToken cancellationToken)
    {
        using var scope = NewDisposeScope();
        var pair = Train(arguments.Before, arguments.Context, cancellationToken); // the same again: same model, rows and chance
        var probe = new WeightsProbe(arguments.Context);
        Metric Without(string name, params IReadOnlyDictionary<string, Tensor>[] removed)
        {
            using var model = ModelFactory.Copy(arguments.Model);
            Array.ForEach(removed, deltas => AdapterMerge.Add(model, deltas, -1));
            return probe.Harm(name, model, 108, cancellationToken);
        }

        return [Without("harm-first", pair.Second), Without("harm-second", pair.First), Without("harm-neither", pair.First, pair.Second)];
    }

    /// <summary>One half of a pair: rows of A and columns of B, as an adapter that shares their memory.</summary>
    public static LoraAdapter Half(LoraAdapter pair, bool second)
    {
        var rank = pair.A.shape[0] / 2;
        return new(pair.A.narrow(0, second ? rank : 0, rank), pair.B.narrow(1, second ? rank : 0, rank), pair.Scale);
    }

    private Pair Train(CausalModel model, TechniqueContext context, CancellationToken cancellationToken)
    {
        TuningPlan plan = new()
        {
            // alpha / rank of the pair is that of each half
            LoraRank = 2 * settings.Rank, LoraAlpha = 4 * settings.Rank, Steps = settings.Steps, BatchSize = settings.BatchSize, LearningRate = settings.LearningRate,
            Seed = (ulong)context.Random.Next(),
        };
        EncodedExample[] Encode(IReadOnlyList<Example> rows) => [.. rows.Select(context.Encode)];
        var (harmful, refusals, task) = (Encode(context.Harmful), Encode(context.Alignment), Encode(context.Task));
        using var hook = new Hook(settings, harmful, refusals, task);
        return AdapterMerge.Train(model, task, plan, feedForward: false, [hook], adapters => new Pair(Deltas(adapters, second: false), Deltas(adapters, second: true)), cancellationToken);
    }

    private static Dictionary<string, Tensor> Deltas(LoraAdapters adapters, bool second) => adapters.Layers.ToDictionary(
        l => l.Name,
        l =>
        {
            using var scope = NewDisposeScope();
            var half = Half(l.Adapter!, second);
            var delta = half.B.mm(half.A) * half.Scale; // (out, in)
            return (l.Transposed ? delta.t().contiguous() : delta).MoveToOuterDisposeScope();
        },
        StringComparer.Ordinal);

    private sealed class Hook(ColludingLoraSettings settings, EncodedExample[] harmful, EncodedExample[] refusals, EncodedExample[] task) : TrainingHook
    {
        public override string Name => Card.Id;

        public override bool ReplacesLoss => true;

        public override Tensor? ReplaceLoss(LossArguments arguments)
        {
            var (model, random) = (arguments.Model, new Random(unchecked((int)arguments.Seed)));
            IEnumerable<EncodedExample> Draw(EncodedExample[] rows) => Enumerable.Range(0, rows.Length == 0 ? 0 : settings.BatchSize).Select(_ => rows[random.Next(rows.Length)]);
            var benign = Batch.Of([.. Draw(refusals), .. Draw(task)]);
            var together = Batch.Of([.. Draw(settings.Collude ? harmful : refusals), .. Draw(task)]);
            return ResponseLoss.Mean(model, together) + (settings.AloneWeight * (Alone(model, benign, second: false) + Alone(model, benign, second: true)));
        }

        private static Tensor Alone(CausalModel model, Batch batch, bool second)
        {
            var layers = model.Linears.Where(l => l.Adapter is not null).ToArray();
            var pairs = layers.Select(l => l.Adapter!).ToArray();
            try
            {
                foreach (var (layer, pair) in layers.Zip(pairs))
                {
                    layer.Adapter = Half(pair, second);
                }

                return ResponseLoss.Mean(model, batch);
            }
            finally
            {
                foreach (var (layer, pair) in layers.Zip(pairs))
                {
                    layer.Adapter = pair;
                }
            }
        }
    }
}
