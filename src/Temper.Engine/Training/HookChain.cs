using Temper.Core;
using Temper.Engine.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Engine.Training;

/// <summary>Calls the hooks in order, each call in a scope of its own, so that a forgotten temporary dies with it.</summary>
internal sealed class HookChain
{
    private readonly IReadOnlyList<TrainingHook> hooks;
    private readonly TrainingHook? replacer;

    public HookChain(IReadOnlyList<TrainingHook> hooks)
    {
        var replacers = hooks.Where(h => h.ReplacesLoss).ToArray();
        if (replacers.Length > 1)
        {
            throw new TemperException($"hooks: found {string.Join(" and ", replacers.Select(h => h.Name))} that each replace the loss, expected at most one");
        }

        this.hooks = hooks;
        replacer = replacers.FirstOrDefault();
    }

    /// <summary>The hooks' own tensors for a checkpoint.</summary>
    public IEnumerable<KeyValuePair<string, Tensor>> State =>
        hooks.SelectMany((h, i) => h.State.Select(p => new KeyValuePair<string, Tensor>($"hook/{i}/{p.Key}", p.Value)));

    public IReadOnlyList<TrainingEvent> Events => [.. hooks.SelectMany(h => h.Events).OrderBy(e => e.Step)];

    public void Start(TrainingStart arguments) => Each(h => h.OnStart(arguments));

    public void End(TrainingEnd arguments) => Each(h => h.OnEnd(arguments));

    public void Gradients(GradientArguments arguments) => Each(h => h.OnGradients(arguments));

    public Batch? Choose(BatchChoice arguments)
    {
        using var quiet = no_grad();
        foreach (var hook in hooks)
        {
            using var scope = NewDisposeScope();
            if (hook.ChooseBatch(arguments) is { } batch)
            {
                scope.MoveToOuter(batch.Ids, batch.Labels);
                return batch;
            }
        }

        return null;
    }

    public Tensor Loss(LossArguments arguments)
    {
        var loss = Scalar(replacer, h => h.ReplaceLoss(arguments)) ?? arguments.PlainLoss(null);
        foreach (var hook in hooks)
        {
            if (Scalar(hook, h => h.AddLoss(arguments)) is { } term)
            {
                loss = loss + term;
            }
        }

        return loss;
    }

    /// <summary>Whether to roll back, and the first hook that wants to stop.</summary>
    public (bool RollBack, string? StoppedBy) AfterStep(StepArguments arguments)
    {
        var (rollBack, stoppedBy) = (false, (string?)null);
        Each(h =>
        {
            var action = h.AfterStep(arguments);
            rollBack |= action == StepAction.RollBack;
            stoppedBy ??= action == StepAction.Stop ? h.Name : null;
        });
        return (rollBack, stoppedBy);
    }

    private void Each(Action<TrainingHook> call)
    {
        using var quiet = no_grad();
        foreach (var hook in hooks)
        {
            using var scope = NewDisposeScope();
            call(hook);
        }
    }

    private static Tensor? Scalar(TrainingHook? hook, Func<TrainingHook, Tensor?> call)
    {
        using var scope = NewDisposeScope();
        if (hook is null || call(hook) is not { } value)
        {
            return null;
        }

        if (value.numel() != 1)
        {
            throw new TemperException($"{hook.Name}: found a loss of shape [{string.Join(", ", value.shape)}], expected a scalar");
        }

        scope.MoveToOuter(value);
        return value.reshape([]).MoveToOuterDisposeScope();
    }
}
