using System.Globalization;
using Temper.Engine.Training;

namespace Temper.Lifecycle.DuringTuning.Monitors;

/// <summary>What a monitor looks at (methods.md D-DUR-8); each is 0 or less where nothing has drifted, and rises with drift.</summary>
public enum DriftSignal
{
    /// <summary>The share that first-token refusal mass on forbidden prompts has lost.</summary>
    RefusalLoss,

    /// <summary>KL(start || now) of the first token on forbidden prompts, in nats.</summary>
    Divergence,

    /// <summary>By how much the loss of complying answers has fallen, in nats a token.</summary>
    HarmfulFall,

    /// <summary>The share that the gap between forbidden and allowed prompts along the refusal direction has lost, at the last prompt token.</summary>
    ProjectionLoss,

    /// <summary>-cos(g_user, g_align): 1 where the user's gradient undoes alignment.</summary>
    GradientConflict,

    /// <summary>||W - W_0|| / ||W||, the largest of the linear layers.</summary>
    WeightDistance,

    /// <summary>The share of forbidden prompts whose greedy answer has no refusal keyword.</summary>
    Compliance,

    /// <summary>Harmful embedding drift: ||a - a_0|| / ||a_0|| of the attention outputs at the end of forbidden prompts, the mean of the layers.</summary>
    AttentionDrift,

    /// <summary>How much further the loss of the fastest rows has fallen than that of the middle one, in nats a token.</summary>
    RowFall,
}

/// <summary>One look. As text it is an event of the training, so that a stored training can be read again.</summary>
public sealed record DriftReading(int Step, IReadOnlyDictionary<DriftSignal, double> Values)
{
    private const string Opening = "reading:";

    public TrainingEvent ToEvent() => new(
        Step, $"{Opening} {string.Join(", ", Values.OrderBy(v => v.Key).Select(v => string.Create(CultureInfo.InvariantCulture, $"{v.Key} {v.Value:G6}")))}");

    /// <summary>The look that an event tells of; null where it tells of something else.</summary>
    public static DriftReading? Of(TrainingEvent e)
    {
        if (!e.Text.StartsWith(Opening, StringComparison.Ordinal))
        {
            return null;
        }

        var values = e.Text[Opening.Length..].Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(v => v.Split(' ')).ToArray();
        return Array.TrueForAll(values, v => v.Length == 2 && Enum.TryParse<DriftSignal>(v[0], out _) && double.TryParse(v[1], CultureInfo.InvariantCulture, out _))
            ? new(e.Step, values.ToDictionary(v => Enum.Parse<DriftSignal>(v[0]), v => double.Parse(v[1], CultureInfo.InvariantCulture)))
            : null;
    }
}
