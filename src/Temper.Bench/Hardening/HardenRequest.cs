using Temper.Bench.Execution;
using Temper.Bench.Studies;
using Temper.Core;

namespace Temper.Bench.Hardening;

/// <summary>What is hardened, against what, and what it may cost.</summary>
public sealed record HardenRequest
{
    public required StudyModel Model { get; init; }

    public required ThreatProfile Threats { get; init; }

    public StudyTask Task { get; init; } = new();

    public TuningPlan Plan { get; init; } = new() { Steps = 80, BatchSize = 16, LearningRate = 7e-4 };

    /// <summary>The share of the undefended utility that a stack may cost.</summary>
    public double UtilityLoss { get; init; } = 0.1;

    /// <summary>How much more often than the undefended model a stack may refuse benign requests.</summary>
    public double OverRefusal { get; init; } = 0.1;

    /// <summary>Defenses in a stack, at most.</summary>
    public int Depth { get; init; } = 3;

    /// <summary>What the search may take, the confirmation included; null does not limit it.</summary>
    public TimeSpan? Time { get; init; }

    public IReadOnlyList<int> Seeds { get; init; } = [1];

    /// <summary>Seeds that the search does not see: what was chosen for its figures has flattering ones.</summary>
    public IReadOnlyList<int> ConfirmationSeeds { get; init; } = [101, 102, 103];

    /// <summary>As the studies of evidence ask, so that what they left in the store serves.</summary>
    public StudyEvaluation Evaluation { get; init; } = new() { Harm = 72, Skills = 52, LookAlikes = 36, Triggered = 52, MaxTokens = 32 };

    /// <summary>How many workers fit into so much memory: each holds the weights, a reference, gradients, two moments and two snapshots in fp32, and what a process needs besides.</summary>
    /// <exception cref="TemperException">Not even one fits.</exception>
    public int Workers(long? memory, int most)
    {
        const long Process = 400L << 20;
        var weights = Directory.GetFiles(Model.Path, "*.safetensors").Sum(f => new FileInfo(f).Length);
        var each = Process + (7 * weights);
        var fit = memory is { } bytes ? (int)Math.Min(most, bytes / each) : most;
        return fit > 0 ? fit : throw new TemperException($"memory: found {memory >> 20} MiB, expected at least {each >> 20} MiB for one worker on {Model.Name}");
    }
}

/// <summary>Computes the stages of a round, and shows how far it is.</summary>
/// <param name="file">Where the round's study lies, for workers in other processes.</param>
public delegate void HardenRunner(StudySession session, string file, CancellationToken cancellationToken);
