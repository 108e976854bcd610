using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Engine.Models;
using Temper.Engine.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.PreTuning.Defenses;

/// <summary>What attacked weights are to do on forbidden requests.</summary>
public enum TamperedGoal { Entropy, Refuse }

/// <summary>Settings of <see cref="Tar"/>.</summary>
public sealed record TarSettings : ImmunizationSettings
{
    /// <summary>Whether attacked weights shall know nothing of complying answers, as for hazardous knowledge, or refuse, as for harmful requests.</summary>
    public TamperedGoal Goal { get; init; } = TamperedGoal.Refuse;

    /// <summary>Steps of a simulated attack; 64 in the paper.</summary>
    [Range(0, 10_000)]
    public int InnerSteps { get; init; } = 16;

    /// <summary>The rates of simulated attacks, of which each takes one by chance.</summary>
    [Required]
    [MinLength(1)]
    public IReadOnlyList<double> InnerRates { get; init; } = [1e-4, 3e-4, 1e-3];

    /// <summary>Rows in a batch of a simulated attack.</summary>
    [Range(1, 4096)]
    public int InnerBatchSize { get; init; } = 8;

    /// <summary>Steps of the attack between two looks at the attacked weights.</summary>
    [Range(1, 10_000)]
    public int LookEvery { get; init; } = 4;

    /// <summary>The weight of the looks beside the plain loss; 0 is the control, plain alignment.</summary>
    [Range(0.0, 1000.0)]
    public double Scale { get; init; } = 4;

    /// <summary>lambda: how much faster than the first the later looks count, e^(lambda step).</summary>
    [Range(0.0, 10.0)]
    public double Lambda { get; init; } = 0.0625;

    /// <summary>The weight of the squared distance of all states on plain rows to those of the model at the start.</summary>
    [Range(0.0, 1000.0)]
    public double Retain { get; init; } = 1;
}

/// <summary>TAR (Tamirisa et al. 2025): tampering attacks are simulated inside every step, and the weights moved so that even the attacked ones do not comply; to first
/// order, the gradient found at the attacked weights is that of the weights themselves.</summary>
// Deviation: a cross entropy of refusals where the paper prefers them by DPO; it begins with the aligned model as it is, without the random mapping.
public sealed class Tar(TarSettings settings) : ITechnique, IWeightMap
{
    public static Card Card { get; } = new(
        "tar", "TAR", Phase.PreTuning, TechniqueRole.Defense, Touches.Weights,
        "https://arxiv.org/abs/2408.00761", "Simulates tampering within every step and moves the weights so that even the attacked ones do not comply.");

    public void Map(CausalModel model, TechniqueContext context, CancellationToken cancellationToken)
    {
        var harmful = Immunization.Harmful(Card.Id, context);
        EncodedExample[] goal = settings.Goal == TamperedGoal.Entropy ? harmful : [.. Immunization.Refused(Card.Id, context).Select(context.Encode)];
        // what is attacked with and what is looked at are different rows
        goal = [.. goal.Where((_, i) => i % 2 == 1 || goal.Length == 1)];
        using var start = ModelFactory.Copy(model);
        using var hook = new Hook(settings, start, [.. harmful.Where((_, i) => i % 2 == 0)], goal, [.. context.Task.Select(context.Encode)]);
        Immunization.Train(model, context, settings, [hook], cancellationToken);
    }

    /// <summary>The mean of sum p log p over the rows of (N, V): -log V where they say nothing.</summary>
    public static Tensor NegativeEntropy(Tensor logits)
    {
        using var scope = NewDisposeScope();
        var log = logits.log_softmax(-1);
        return (log.exp() * log).sum(-1).mean().MoveToOuterDisposeScope();
    }

    private sealed class Hook(TarSettings settings, CausalModel start, EncodedExample[] harmful, EncodedExample[] goal, EncodedExample[] task) : TrainingHook
    {
        public override string Name => Card.Id;

        public override Tensor? AddLoss(LossArguments arguments)
        {
            if (settings.Retain == 0 || settings.Scale == 0)
            {
                return null;
            }

            var real = arguments.Batch.RealTokens().unsqueeze(-1); // (B, T, 1)
            IReadOnlyList<Tensor> before;
            using (no_grad())
            {
                before = Activations.States(start, arguments.Batch.Ids);
            }

            var after = Activations.States(arguments.Model, arguments.Batch.Ids, new() { Precision = arguments.Precision });
            var width = arguments.Model.Config.HiddenSize;
            return stack([.. after.Zip(before, (a, b) => ((a - b).square() * real).sum() / (real.sum() * width))]).mean() * settings.Retain;
        }

        public override void OnGradients(GradientArguments arguments)
        {
            if (settings.Scale == 0)
            {
                return;
            }

            var (model, trainable, random) = (arguments.Model, arguments.Trainable, new Random(unchecked((int)arguments.Seed)));
            Tensor[] leaves = [.. trainable.Values];
            ForwardOptions options = new() { Precision = arguments.Precision };
            var looked = Immunization.Draw(goal, settings.BatchSize, random);
            var sums = leaves.Select(l => zeros_like(l)).ToArray();
            var weights = 0.0;
            void Look(int step)
            {
                using var scope = NewDisposeScope();
                var weight = Math.Exp(settings.Lambda * step);
                weights += weight;
                var gradients = Gradients.Of(
                    () => settings.Goal == TamperedGoal.Entropy ? NegativeEntropy(ResponseLoss.Logits(model, looked, options)) : ResponseLoss.Mean(model, looked, options), leaves);
                foreach (var (sum, gradient) in sums.Zip(gradients))
                {
                    sum.add_(gradient * weight);
                }
            }

            var attack = Attack(random);
            Lookahead.After(
                trainable, settings.InnerSteps, settings.InnerRates[random.Next(settings.InnerRates.Count)], step => ResponseLoss.Mean(model, attack(step), options),
                () => 0, step => { if ((step + 1) % settings.LookEvery == 0) { Look(step); } });
            foreach (var (leaf, sum) in leaves.Zip(sums))
            {
                leaf.grad?.add_(sum * (weights > 0 ? settings.Scale / weights : 0));
            }
        }

        /// <summary>One of three families: harmful rows; half of them the task's; the task's, and from some step on harmful ones.</summary>
        private Func<int, Batch> Attack(Random random)
        {
            var (family, turn) = (task.Length == 0 ? 0 : random.Next(3), random.Next(settings.InnerSteps + 1));
            EncodedExample Row(int step, int i) => family switch
            {
                1 when i % 2 == 0 => task[random.Next(task.Length)],
                2 when step < turn => task[random.Next(task.Length)],
                _ => harmful[random.Next(harmful.Length)],
            };
            return step => Batch.Of([.. Enumerable.Range(0, settings.InnerBatchSize).Select(i => Row(step, i))]);
        }
    }
}
