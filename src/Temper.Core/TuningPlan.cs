namespace Temper.Core;

public enum TuningMethod { Full, Lora }

public enum RateSchedule { Constant, Linear, Cosine }

/// <summary>Numeric format of the matrix products; weights and optimizer stay fp32.</summary>
public enum Precision { Float32, Mixed }

/// <summary>How a tuning runs.</summary>
public sealed record TuningPlan
{
    public TuningMethod Method { get; init; } = TuningMethod.Full;
    public int LoraRank { get; init; } = 8;
    public double LoraAlpha { get; init; } = 16;

    /// <summary>Module names that LoRA adapts, by their last part; empty adapts every linear layer but the head.</summary>
    public IReadOnlyList<string> LoraTargets { get; init; } = [];

    public double LearningRate { get; init; } = 1e-3;
    public RateSchedule Schedule { get; init; } = RateSchedule.Cosine;

    /// <summary>Share of the steps over which the rate rises linearly from zero.</summary>
    public double Warmup { get; init; } = 0.05;

    public int Steps { get; init; } = 100;
    public int BatchSize { get; init; } = 32;

    /// <summary>Batches whose gradients are averaged before a step.</summary>
    public int Accumulation { get; init; } = 1;

    public double WeightDecay { get; init; } = 0.01;

    /// <summary>Largest global gradient norm; zero does not clip.</summary>
    public double ClipNorm { get; init; } = 1;

    public Precision Precision { get; init; } = Precision.Float32;

    /// <summary>Rows longer than this are cut at their end.</summary>
    public int MaxTokens { get; init; } = 256;

    public ulong Seed { get; init; } = 1;
}
