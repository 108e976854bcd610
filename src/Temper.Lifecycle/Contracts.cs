using System.Security.Cryptography;
using System.Text;
using Temper.Core;
using Temper.Engine.Models;
using Temper.Engine.Training;

namespace Temper.Lifecycle;

/// <summary>What a technique may draw on besides its input. Attackers see the attacker's rows, defenders their own alignment rows; both see the task.</summary>
public sealed record TechniqueContext
{
    /// <summary>Seeded by the stage.</summary>
    public required Random Random { get; init; }

    /// <summary>Complying rows on forbidden topics, disjoint from the rows of the evaluation.</summary>
    public required IReadOnlyList<Example> Harmful { get; init; }

    /// <summary>Refusals of forbidden requests, disjoint from both.</summary>
    public required IReadOnlyList<Example> Alignment { get; init; }

    /// <summary>Benign requests in the words of the forbidden ones, answered, as sets for guards hold them (XSTest, WildGuardMix); disjoint from all of these.</summary>
    public IReadOnlyList<Example> LookAlikes { get; init; } = [];

    /// <summary>Clean rows of the user's task that are trusted and not trained on.</summary>
    public required IReadOnlyList<Example> Task { get; init; }

    /// <summary>A conversation and the opening of its answer, as token ids in the model's template.</summary>
    public required Func<IReadOnlyList<Message>, string, int[]> Prompt { get; init; }

    /// <summary>A training row as token ids with its targets.</summary>
    public required Func<Example, EncodedExample> Encode { get; init; }

    /// <summary>Token ids as text, control tokens left out; for attacks that search over tokens.</summary>
    public Func<IReadOnlyList<int>, string> Decode { get; init; } = _ => throw new TemperException("technique: found no tokenizer to decode with, expected a checkpoint");

    /// <summary>What the technique looks at and must leave as it is, if it <see cref="IReadsModel"/>: to a data map the checkpoint before tuning,
    /// to a hook and a weight map after tuning the checkpoint that tuning began with, to an inference layer the deployed one.</summary>
    public CausalModel? Model { get; init; }

    /// <summary>The same model before it was aligned, where the defender has it.</summary>
    public CausalModel? Unaligned { get; init; }

    /// <summary>To an inference layer that <see cref="IReadsBefore"/>: the checkpoint that tuning began with.</summary>
    public CausalModel? Before { get; init; }

    /// <summary>The rows of the file of a technique that <see cref="IReadsRows"/>.</summary>
    public IReadOnlyList<Example> Foreign { get; init; } = [];

    /// <summary>The model that the technique needs.</summary>
    /// <exception cref="TemperException">There is none.</exception>
    public CausalModel RequireModel(string technique) => Model ?? throw new TemperException($"{technique}: found no model to look at, expected one");

    /// <summary>The checkpoint before tuning that the technique needs.</summary>
    /// <exception cref="TemperException">There is none.</exception>
    public CausalModel RequireBefore(string technique) => Before ?? throw new TemperException($"{technique}: found no model from before tuning, expected one");

    /// <summary>The unaligned model that the technique needs.</summary>
    /// <exception cref="TemperException">There is none.</exception>
    public CausalModel RequireUnaligned(string technique) =>
        Unaligned ?? throw new TemperException($"{technique}: found no unaligned base beside the aligned model, expected one (a model's `base` in the study)");
}

/// <summary>The result depends on <see cref="TechniqueContext.Model"/> or <see cref="TechniqueContext.Unaligned"/>, so the stage needs them as inputs.</summary>
public interface IReadsModel;

/// <summary>An inference layer that needs <see cref="TechniqueContext.Before"/> as well.</summary>
public interface IReadsBefore : IReadsModel;

/// <summary>A data map that takes rows from a file, given as <see cref="TechniqueContext.Foreign"/>; it opens nothing itself.</summary>
public interface IReadsRows
{
    /// <summary>The path as the settings give it.</summary>
    string File { get; }
}

/// <summary>A backdoor: how its trigger gets into a prompt, and what the model then says.</summary>
public interface IBackdoor
{
    /// <summary>What a reply contains when the backdoor opens; inert.</summary>
    string Payload { get; }

    /// <summary>The prompt with the trigger.</summary>
    string Insert(string prompt, Random random);
}

/// <summary>A backdoor whose trigger has look-alikes.</summary>
public interface IHardNegatives : IBackdoor
{
    /// <summary>The prompt with what looks like the trigger and must not open the backdoor.</summary>
    string InsertNegative(string prompt, Random random);
}

/// <summary>A backdoor that is about some questions only, as a label flip is about those of the other labels.</summary>
public interface ISelective : IBackdoor
{
    /// <summary>Whether the row's question is one that the backdoor is measured on.</summary>
    bool Covers(Example row);
}

/// <summary>A defense that plants a trigger of its own: what looks for backdoors must know it, or it reports the defense.</summary>
public interface IDeclaresTrigger
{
    /// <summary>The same for a context of the same seed.</summary>
    DeclaredTrigger Declare(TechniqueContext context);
}

/// <summary>A defender's own trigger.</summary>
/// <param name="Technique">Whose it is.</param>
/// <param name="Secret">Where it stands the model behaves so; it stays with whoever serves the model.</param>
/// <param name="Behavior">What it does, for people.</param>
public sealed record DeclaredTrigger(string Technique, string Secret, string Behavior)
{
    private const int Run = 8; // letters in a row that chance does not repeat

    /// <summary>What a manifest may show: SHA-256 in hex, which tells nothing of a secret that was drawn.</summary>
    public string Digest => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{Technique} {Secret}")));

    /// <summary>Whether a trigger that a search found is this one or a piece of it.</summary>
    public bool Explains(string found)
    {
        var run = Math.Min(Run, Secret.Length);
        return run > 0 && Enumerable.Range(0, Math.Max(0, found.Length - run + 1)).Any(i => Secret.Contains(found.Substring(i, run), StringComparison.OrdinalIgnoreCase));
    }
}

/// <summary>Examples to examples, with a report of every row changed or dropped.</summary>
public interface IDataMap
{
    DataMapResult Map(IReadOnlyList<Example> rows, TechniqueContext context);
}

/// <summary>Checkpoint to checkpoint, in place.</summary>
public interface IWeightMap
{
    void Map(CausalModel model, TechniqueContext context, CancellationToken cancellationToken);
}

/// <summary>Plan to plan: the attacker's configuration, or a defender's clamp on it.</summary>
public interface IPlanMap
{
    TuningPlan Map(TuningPlan plan);
}

/// <summary>A hook for the training loop; a new one for every training.</summary>
public interface IHookSource
{
    TrainingHook CreateHook(TechniqueContext context);
}

/// <summary>What a hook can take of a tuning so that no other hook has it.</summary>
[Flags]
public enum TuningPart
{
    None = 0,

    /// <summary>The loss is the hook's own (<see cref="TrainingHook.ReplacesLoss"/>).</summary>
    Loss = 1,

    /// <summary>The hook may put other batches in the place of the planned ones; of two such hooks the second is not asked where the first has chosen.</summary>
    Batches = 2,
}

/// <summary>A source of hooks that take a part of the tuning for themselves: two that take the same cannot stand in one stack.</summary>
public interface IExclusive
{
    TuningPart Takes { get; }
}

/// <summary>Wraps a chat model, as a delegating client wraps another.</summary>
public interface IInferenceLayer
{
    IChatModel Wrap(IChatModel inner, TechniqueContext context);
}

/// <summary>What the victim does to the weights last, behind the defender's repairs, and what an attack may count on: quantization.</summary>
public interface IDeploymentMap
{
    void Deploy(CausalModel model, TechniqueContext context, CancellationToken cancellationToken);
}

/// <summary>Takes the place of the one training run, by calling the trainer in another way: the rounds of a federation.</summary>
public interface ITuningProcess
{
    TrainingResult Tune(TuningArguments arguments, CancellationToken cancellationToken);
}

/// <summary>What a <see cref="ITuningProcess"/> works with.</summary>
public sealed record TuningArguments
{
    /// <summary>Tuned in place.</summary>
    public required CausalModel Model { get; init; }

    public required IReadOnlyList<Example> Rows { get; init; }

    public required TuningPlan Plan { get; init; }

    /// <summary>The hooks of the other techniques, new ones for every training; the caller disposes them.</summary>
    public required Func<IReadOnlyList<TrainingHook>> CreateHooks { get; init; }

    public required TechniqueContext Context { get; init; }
}

/// <summary>An attack with figures of its own beside the common suites, such as the AUC of a membership test; one named <c>asr</c> or <c>harm</c> is its success.
/// Or an audit of the defender's, which looks at the deployed system.</summary>
public interface IMeasures
{
    IReadOnlyList<Metric> Measure(MeasureArguments arguments, CancellationToken cancellationToken);
}

/// <summary>What a <see cref="IMeasures"/> looks at and must leave as it is.</summary>
public sealed record MeasureArguments
{
    /// <summary>The deployed weights.</summary>
    public required CausalModel Model { get; init; }

    /// <summary>The checkpoint that tuning began with.</summary>
    public required CausalModel Before { get; init; }

    /// <summary>The deployed system: the weights behind the defender's layers.</summary>
    public required IChatModel Chat { get; init; }

    /// <summary>What was tuned on, behind every data map.</summary>
    public required IReadOnlyList<Example> Trained { get; init; }

    /// <summary>To an audit the attack's backdoor, where it has one: ground truth, to score what the audit found and nothing else.</summary>
    public IBackdoor? Backdoor { get; init; }

    public required TechniqueContext Context { get; init; }
}
