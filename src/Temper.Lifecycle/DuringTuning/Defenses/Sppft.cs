using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Engine.Models;
using Temper.Engine.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.DuringTuning.Defenses;

/// <summary>Settings of <see cref="Sppft"/>.</summary>
public sealed record SppftSettings
{
    /// <summary>The share of the blocks that is frozen, one next to the other; the paper finds 6 or 7 of 32.</summary>
    [Range(0.0, 1.0)]
    public double Share { get; init; } = 0.34;

    /// <summary>The first frozen block, from 0; null looks for it.</summary>
    [Range(0, 10_000)]
    public int? First { get; init; }

    /// <summary>alpha: by what the weights of a range are multiplied to see whether the model then refuses more.</summary>
    [Range(1.0, 10.0)]
    public double Scale { get; init; } = 1.2;
}

/// <summary>Safety layers and SPPFT (Li et al. 2025): the contiguous blocks whose amplification makes the model refuse what it should answer are its safety layers, and tuning
/// leaves them as they are.</summary>
// Deviation: over-rejection is the probability of a refusal's first token after allowed prompts, which moves before whole answers do.
public sealed class Sppft(SppftSettings settings) : ITechnique, IHookSource
{
    private const int Probes = 64;

    public static Card Card { get; } = new(
        "sppft", "SPPFT", Phase.DuringTuning, TechniqueRole.Defense, Touches.Training,
        "https://arxiv.org/abs/2408.17003", "Freezes the contiguous blocks that make the model refuse when they are amplified.");

    public TrainingHook CreateHook(TechniqueContext context)
    {
        if (settings.First is null && context.Alignment.Count == 0)
        {
            throw new TemperException($"{Card.Id}: found no alignment rows, expected some to see how the model refuses, or the setting first");
        }

        int[][] allowed = [.. (context.LookAlikes.Count > 0 ? context.LookAlikes : context.Task).Take(Probes).Select(r => context.Prompt(r.Question, ""))];
        return new Hook(settings, allowed, settings.First is null ? RefusalProbe.FirstTokens(context) : []);
    }

    /// <summary>How much likelier the model begins a refusal when the range of blocks is amplified.</summary>
    public static double OverRejection(CausalModel model, IReadOnlyList<int[]> allowed, long[] refusals, int first, int count, double scale)
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        var before = RefusalProbe.Mass(RefusalProbe.LogProbs(model, allowed), refusals);
        var amplified = Blocks(model, first, count).ToDictionary(l => l.Name, l => l.Weight, StringComparer.Ordinal);
        using var kept = Snapshot.Take(amplified);
        try
        {
            foreach (var weight in amplified.Values)
            {
                weight.mul_(scale);
            }

            return RefusalProbe.Mass(RefusalProbe.LogProbs(model, allowed), refusals) - before;
        }
        finally
        {
            kept.Restore(amplified);
        }
    }

    private static IEnumerable<Linear> Blocks(CausalModel model, int first, int count)
    {
        var each = model.Linears.Count / model.Config.Layers; // the linear layers stand in the order of the blocks
        return model.Linears.Skip(first * each).Take(count * each);
    }

    private sealed class Hook(SppftSettings settings, int[][] allowed, long[] refusals) : TrainingHook
    {
        private readonly List<TrainingEvent> _events = [];
        private string[] _frozen = [];

        public override string Name => Card.Id;

        public override IReadOnlyList<TrainingEvent> Events => _events;

        public override void OnStart(TrainingStart arguments)
        {
            var (model, layers) = (arguments.Model, arguments.Model.Config.Layers);
            var count = (int)Math.Round(settings.Share * layers);
            var first = settings.First ?? Enumerable.Range(0, layers - count + 1).MaxBy(f => OverRejection(model, allowed, refusals, f, count, settings.Scale));
            if (first + count > layers)
            {
                throw new TemperException($"{Card.Id}: found blocks {first} to {first + count - 1}, expected them below {layers} (the model's blocks)");
            }

            string[] prefixes = [.. Blocks(model, first, count).Select(l => Block(l.Name)).Distinct(StringComparer.Ordinal)];
            _frozen = [.. arguments.Trainable.Keys.Where(k => Array.Exists(prefixes, p => k.StartsWith(p, StringComparison.Ordinal)))];
            _events.Add(new(0, count == 0 ? "no block is frozen" : $"blocks {first} to {first + count - 1} of {layers} are frozen"));
        }

        /// <summary>Without a gradient the optimizer leaves a weight alone, its decay included.</summary>
        public override void OnGradients(GradientArguments arguments)
        {
            foreach (var name in _frozen)
            {
                arguments.Trainable[name].grad = null;
            }
        }

        // model.layers.3.mlp.up_proj, h.3.mlp.c_fc: the block ends behind its number, so that its norms and biases are frozen with it
        private static string Block(string name)
        {
            var parts = name.Split('.');
            return string.Join('.', parts[..(Array.FindIndex(parts, p => int.TryParse(p, System.Globalization.CultureInfo.InvariantCulture, out _)) + 1)]) + ".";
        }
    }
}
