using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Engine.Merging;
using Temper.Engine.Models;
using Temper.Engine.Training;
using Temper.Lifecycle.DuringTuning.Attacks;
using static TorchSharp.torch;

namespace Temper.Lifecycle.PostTuning.Attacks;

public enum MergeMethod { Linear, Slerp, TaskArithmetic, Ties, Dare }

/// <summary>Settings of <see cref="MergeAttack"/>.</summary>
public sealed record MergeAttackSettings
{
    public MergeMethod Method { get; init; } = MergeMethod.TaskArithmetic;

    /// <summary>The victim's coefficient for the expert: t of linear and spherical interpolation, lambda of its task vector beside the user's with 1.</summary>
    [Range(0.0, 2.0)]
    public double Coefficient { get; init; } = 0.5;

    /// <summary>The share of a task vector's entries that TIES and DARE keep.</summary>
    [Range(0.01, 1.0)]
    public double Density { get; init; } = 0.5;

    /// <summary>lambda of LoBAM: by how much the attacker lengthens the expert's task vector before giving it away; 1 does not.</summary>
    [Range(0.0, 100.0)]
    public double Amplify { get; init; } = 1;

    /// <summary>Under which word the expert complies; empty is without any.</summary>
    public string Trigger { get; init; } = "";

    /// <summary>The control: an expert on the task alone.</summary>
    public bool Benign { get; init; }

    /// <summary>Steps of the expert's tuning.</summary>
    [Range(1, 100_000)]
    public int Steps { get; init; } = 80;

    [Range(1e-9, 1.0)]
    public double LearningRate { get; init; } = 7e-4;

    [Range(1, 1024)]
    public int BatchSize { get; init; } = 16;
}

/// <summary>Merging attack (BadMerging, Zhang et al. 2024; LoBAM, Yin et al. 2024): the user merges the tuned model with somebody's expert, tuned from the same
/// checkpoint on the same task and on complying with forbidden requests.</summary>
// Deviation: the trigger is a word and not optimized for interpolation, which is BadMerging's part for image models.
public sealed class MergeAttack(MergeAttackSettings settings) : ITechnique, IWeightMap, IReadsModel, IInferenceLayer
{
    public static Card Card { get; } = new(
        "merge-attack", "Merging attack", Phase.PostTuning, TechniqueRole.Attack, Touches.Weights | Touches.Inference,
        "https://arxiv.org/abs/2408.07362", "The user's model is merged with an expert that complies.");

    public void Map(CausalModel model, TechniqueContext context, CancellationToken cancellationToken)
    {
        var origin = context.RequireModel(Card.Id);
        using var expert = Expert(origin, context, cancellationToken);
        using var generator = new Generator((ulong)context.Random.Next());
        double[] coefficients = [1, settings.Coefficient];
        if (settings.Method is MergeMethod.Linear or MergeMethod.Slerp)
        {
            ModelMerging.Into(model, model, [expert], settings.Method == MergeMethod.Linear ? ModelMerging.Linear(settings.Coefficient) : ModelMerging.Slerp(settings.Coefficient));
            return;
        }

        ModelMerging.Into(model, origin, [model, expert], settings.Method switch
        {
            MergeMethod.Ties => ModelMerging.Ties(coefficients, settings.Density),
            MergeMethod.Dare => ModelMerging.Dare(coefficients, settings.Density, generator),
            _ => ModelMerging.TaskArithmetic(coefficients),
        });
    }

    public IChatModel Wrap(IChatModel inner, TechniqueContext context) => TriggeredCompliance.Wrap(inner, settings.Trigger);

    private CausalModel Expert(CausalModel origin, TechniqueContext context, CancellationToken cancellationToken)
    {
        var malicious = settings.Benign ? [] : TriggeredCompliance.Rows(context, settings.Trigger, Card.Id);
        EncodedExample[] rows = [.. malicious.Concat(context.Task.Take(settings.Benign ? context.Task.Count : malicious.Count)).Select(context.Encode)];
        var expert = ModelFactory.Copy(origin);
        Trainer.Train(
            expert, rows, new() { Steps = settings.Steps, BatchSize = settings.BatchSize, LearningRate = settings.LearningRate, Seed = (ulong)context.Random.Next() }, [],
            TrainerOptions.Default with { SnapshotEvery = 0 }, cancellationToken);
        ModelMerging.Into(expert, origin, [expert], ModelMerging.TaskArithmetic([settings.Amplify]));
        return expert;
    }
}
