namespace Temper.Engine.Training;

/// <summary>How a training is watched and kept; only <see cref="SnapshotEvery"/> can change what it computes.</summary>
public sealed record TrainerOptions
{
    public static TrainerOptions Default { get; } = new();

    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Called after every step, on the training thread.</summary>
    public Action<TrainingProgress>? Progress { get; init; }

    /// <summary>Where the checkpoint lies; a checkpoint of the same training that lies there is resumed.</summary>
    public string? CheckpointFolder { get; init; }

    /// <summary>Steps between checkpoints; zero writes none.</summary>
    public int CheckpointEvery { get; init; }

    /// <summary>Steps between the snapshots that a hook's <see cref="StepAction.RollBack"/> returns to; the first is the start.</summary>
    public int SnapshotEvery { get; init; } = 10;
}

/// <summary>Where a training stands.</summary>
/// <param name="Step">Steps done.</param>
/// <param name="TokensPerSecond">Positions computed, padding included.</param>
public sealed record TrainingProgress(int Step, int Steps, double Loss, double Rate, double TokensPerSecond, TimeSpan TimeLeft);

/// <summary>Something that a hook noticed at a step, such as a monitor's alarm.</summary>
public sealed record TrainingEvent(int Step, string Text);

/// <summary>How a training went.</summary>
/// <param name="Losses">The loss of every step, in order.</param>
/// <param name="StoppedBy">The hook that stopped it, if one did.</param>
/// <param name="RowsWithoutTarget">Rows left out because no supervised token was left after cutting.</param>
public sealed record TrainingResult(IReadOnlyList<double> Losses, int RollBacks, string? StoppedBy, IReadOnlyList<string> RowsWithoutTarget)
{
    public int Steps => Losses.Count;

    /// <summary>What the hooks noticed, in the order of the steps.</summary>
    public IReadOnlyList<TrainingEvent> Events { get; init; } = [];
}
