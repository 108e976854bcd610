using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Engine.Models;
using Temper.Engine.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.PreTuning.Defenses;

/// <summary>Settings of <see cref="TVaccine"/>.</summary>
public sealed record TVaccineSettings : ImmunizationSettings
{
    /// <summary>rho: the norm of the perturbation over the active layers.</summary>
    [Range(0.0, 1e6)]
    public double Rho { get; init; } = 3;

    /// <summary>S: layers that are perturbed and trained at a time; 8 of 32 in the paper.</summary>
    [Range(1, 1000)]
    public int ActiveLayers { get; init; } = 2;

    /// <summary>K: steps between two measurements of the layers on harmful rows; 200 in the paper's longer training.</summary>
    [Range(1, 100_000)]
    public int MeasureEvery { get; init; } = 20;

    /// <summary>J: steps between two draws of the active layers.</summary>
    [Range(1, 100_000)]
    public int DrawEvery { get; init; } = 5;

    /// <summary>The control: layers drawn with equal chances, harmful rows or not.</summary>
    public bool Uniform { get; init; }
}

/// <summary>T-Vaccine (Liu et al. 2025): Vaccine on few layers at a time, drawn by how strongly harmful rows pull at them; only those are perturbed and trained.</summary>
// Deviation: the paper trains adapters of the active layers, which leaves everything else as it is; here their weights themselves.
public sealed class TVaccine(TVaccineSettings settings) : ITechnique, IWeightMap
{
    public static Card Card { get; } = new(
        "t-vaccine", "T-Vaccine", Phase.PreTuning, TechniqueRole.Defense, Touches.Weights,
        "https://arxiv.org/abs/2410.09760", "Aligns under the worst perturbation of the layers that harmful rows pull at most.");

    public void Map(CausalModel model, TechniqueContext context, CancellationToken cancellationToken)
    {
        using var hook = new Hook(settings, Immunization.Harmful(Card.Id, context));
        Immunization.Train(model, context, settings, [hook], cancellationToken);
    }

    /// <summary>The chance of every layer, (L): the norm of the harmful gradient at its attention output, of sum 1.</summary>
    public static IReadOnlyList<double> Chances(CausalModel model, Batch harmful, ForwardOptions options)
    {
        using var scope = NewDisposeScope();
        var norms = Vaccine.AttentionGradients(model, harmful, options).Select(g => (double)g.norm().item<float>()).ToArray();
        var sum = norms.Sum();
        return [.. norms.Select(n => sum > 0 ? n / sum : 1.0 / norms.Length)];
    }

    /// <summary>Layers drawn one after the other without replacement, each by its chance among those that are left.</summary>
    public static IReadOnlyCollection<int> Draw(IReadOnlyList<double> chances, int count, Random random)
    {
        var left = Enumerable.Range(0, chances.Count).ToList();
        var drawn = new HashSet<int>();
        while (drawn.Count < count && left.Count > 0)
        {
            var point = random.NextDouble() * left.Sum(l => chances[l]);
            var chosen = left.FirstOrDefault(l => (point -= chances[l]) <= 0, left[^1]);
            drawn.Add(chosen);
            left.Remove(chosen);
        }

        return drawn;
    }

    private sealed class Hook(TVaccineSettings settings, EncodedExample[] harmful) : TrainingHook
    {
        private IReadOnlyList<double> _chances = [];
        private IReadOnlyCollection<int> _active = [];

        public override string Name => Card.Id;

        public override bool ReplacesLoss => true;

        public override Tensor? ReplaceLoss(LossArguments arguments)
        {
            var (random, options) = (new Random(unchecked((int)arguments.Seed)), new ForwardOptions { Precision = arguments.Precision });
            if (arguments.Step % settings.MeasureEvery == 0)
            {
                _chances = settings.Uniform
                    ? [.. Enumerable.Repeat(1.0 / arguments.Model.Config.Layers, arguments.Model.Config.Layers)]
                    : Chances(arguments.Model, Immunization.Draw(harmful, settings.BatchSize, random), options);
            }

            if (arguments.Step % settings.DrawEvery == 0)
            {
                _active = Draw(_chances, settings.ActiveLayers, random);
            }

            return settings.Rho == 0 ? null : arguments.PlainLoss(Vaccine.Add(Vaccine.Perturbation(arguments.Model, arguments.Batch, settings.Rho, options, _active)));
        }

        public override void OnGradients(GradientArguments arguments)
        {
            foreach (var (name, leaf) in arguments.Trainable)
            {
                if (LayerNames.BlockOf(name) is not { } block || !_active.Contains(block))
                {
                    leaf.grad = null; // the optimizer leaves it as it is
                }
            }
        }
    }
}
