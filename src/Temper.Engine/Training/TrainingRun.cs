using Temper.Core;
using Temper.Engine.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Engine.Training;

/// <summary>The state of one training and its steps.</summary>
internal sealed class TrainingRun : IDisposable
{
    private const int StepsPerTrim = 50;

    private readonly CausalModel model;
    private readonly IReadOnlyList<EncodedExample> rows;
    private readonly TuningPlan plan;
    private readonly HookChain hooks;
    private readonly TrainerOptions options;
    private readonly Dictionary<string, Tensor> trainable;
    private readonly Tensor[] leaves;
    private readonly BatchPlan order;
    private readonly AdamW optimizer;
    private readonly Dictionary<string, Tensor> state; // what a rollback returns to
    private readonly Snapshot snapshot;
    private readonly List<double> losses = [];
    private TrainingEvent[] earlier = []; // before the training was cut off
    private int rollBacks;
    private long positions;

    public TrainingRun(
        CausalModel model, IReadOnlyList<EncodedExample> rows, TuningPlan plan, HookChain hooks, TrainerOptions options, Dictionary<string, Tensor> trainable)
    {
        (this.model, this.rows, this.plan, this.hooks, this.options, this.trainable) = (model, rows, plan, hooks, options, trainable);
        leaves = [.. trainable.Values];
        order = new([.. rows.Select(r => r.Ids.Length)], plan.BatchSize * plan.Accumulation, plan.Seed);
        optimizer = new(trainable, plan.WeightDecay);
        state = new(optimizer.State.Concat(trainable.Select(p => new KeyValuePair<string, Tensor>($"weight/{p.Key}", p.Value))), StringComparer.Ordinal);
        snapshot = Snapshot.Take(state);
    }

    public TrainingResult Run(TrainingCheckpoint? checkpoint, IReadOnlyList<string> skipped, CancellationToken cancellationToken)
    {
        hooks.Start(new() { Model = model, Plan = plan, Trainable = trainable, Rows = rows });
        snapshot.Renew(state); // a hook may have changed the weights
        if (checkpoint is { Exists: true })
        {
            (var done, rollBacks, earlier) = checkpoint.Read(Lasting(), plan.Steps);
            losses.AddRange(done);
        }

        var (began, first, stoppedBy) = (options.Time.GetTimestamp(), losses.Count, (string?)null);
        for (var step = first; step < plan.Steps && stoppedBy is null; step++)
        {
            stoppedBy = Step(step, cancellationToken);
            if (checkpoint is not null && options.CheckpointEvery > 0 && (step + 1) % options.CheckpointEvery == 0)
            {
                checkpoint.Write(Lasting(), losses, rollBacks, Events);
            }

            if ((step + 1) % StepsPerTrim == 0)
            {
                NativeHeap.Trim();
            }

            var elapsed = options.Time.GetElapsedTime(began);
            var left = elapsed / (step + 1 - first) * (plan.Steps - step - 1);
            options.Progress?.Invoke(new(step + 1, plan.Steps, losses[^1], LearningRate.At(plan, step), positions / Math.Max(1e-9, elapsed.TotalSeconds), left));
        }

        var result = new TrainingResult([.. losses], rollBacks, stoppedBy, skipped);
        hooks.End(new() { Model = model, Result = result });
        return result with { Events = Events };
    }

    private TrainingEvent[] Events => [.. earlier, .. hooks.Events];

    public void Dispose()
    {
        optimizer.Dispose();
        snapshot.Dispose();
        NativeHeap.Trim();
    }

    private string? Step(int step, CancellationToken cancellationToken)
    {
        using var scope = NewDisposeScope();
        var (seed, rate) = (BatchPlan.Mix(plan.Seed ^ 0x5EED, (ulong)step), LearningRate.At(plan, step));
        var batches = Batches(step, seed);
        var tokens = batches.Select(b => b.Supervised).ToArray();
        var total = tokens.Sum();
        var loss = 0.0;
        for (var part = 0; part < batches.Count; part++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            // By tokens, so that accumulated batches weigh as one large batch does.
            loss += Descend(step, batches[part], total > 0 ? (double)tokens[part] / total : 1.0 / batches.Count, seed);
        }

        hooks.Gradients(new() { Model = model, Step = step, Batches = batches, Precision = plan.Precision, Trainable = trainable, Seed = seed });
        var norm = Clip(step);
        optimizer.Step(rate);
        ClearGradients();
        losses.Add(loss);
        var (rollBack, stoppedBy) = hooks.AfterStep(
            new() { Model = model, Step = step, Loss = loss, GradientNorm = norm, Rate = rate, Trainable = trainable, Seed = seed });
        if (rollBack)
        {
            snapshot.Restore(state);
            rollBacks++;
        }
        else if (options.SnapshotEvery > 0 && (step + 1) % options.SnapshotEvery == 0)
        {
            snapshot.Renew(state);
        }

        return stoppedBy;
    }

    private List<Batch> Batches(int step, ulong seed)
    {
        var batches = new List<Batch>();
        foreach (var part in order.Rows(step).Select(i => rows[i]).Chunk(plan.BatchSize))
        {
            var choice = new BatchChoice { Model = model, Step = step, Part = batches.Count, Planned = part, Seed = seed };
            batches.Add(hooks.Choose(choice) ?? Batch.Of(part));
            positions += batches[^1].Ids.numel();
        }

        return batches;
    }

    private double Descend(int step, Batch batch, double share, ulong seed)
    {
        using var scope = NewDisposeScope();
        var loss = hooks.Loss(new()
        {
            Model = model, Batch = batch, Step = step, Precision = plan.Precision, Trainable = trainable, Seed = seed,
            PlainLoss = tap => ResponseLoss.Mean(model, batch, new() { Tap = tap, Precision = plan.Precision }),
        });
        Gradients.RequireScalar(loss, $"step {step}: loss");
        var value = loss.to(ScalarType.Float64).item<double>();
        RequireFinite(value, step, "loss");
        Dispatcher.Backward(loss * share, leaves);
        return value * share;
    }

    private double Clip(int step)
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        var gradients = leaves.Select(p => p.grad).OfType<Tensor>().ToArray();
        var norm = gradients.Length == 0 ? 0 : stack([.. gradients.Select(g => g.norm())]).norm().item<float>();
        RequireFinite(norm, step, "gradient norm");
        if (plan.ClipNorm > 0 && norm > plan.ClipNorm)
        {
            foreach (var gradient in gradients)
            {
                gradient.mul_(plan.ClipNorm / (norm + 1e-6));
            }
        }

        return norm;
    }

    private void ClearGradients()
    {
        foreach (var leaf in leaves)
        {
            leaf.grad = null;
        }
    }

    private static void RequireFinite(double value, int step, string what)
    {
        if (!double.IsFinite(value))
        {
            throw new TemperException($"step {step}: found a {what} of {value}, expected a finite number; a lower learning rate may help");
        }
    }

    private Dictionary<string, Tensor> Lasting() => new(
        state.Concat(snapshot.Values.Select(p => new KeyValuePair<string, Tensor>($"snapshot/{p.Key}", p.Value))).Concat(hooks.State), StringComparer.Ordinal);
}
