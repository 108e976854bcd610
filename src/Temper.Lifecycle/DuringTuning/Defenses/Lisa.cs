using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Engine.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.DuringTuning.Defenses;

/// <summary>Settings of <see cref="Lisa"/>. Deviation: the paper alternates 100 and 900 steps over 10,000; short tunings need short states.</summary>
public sealed record LisaSettings
{
    /// <summary>K1: steps on alignment rows, with which every round begins.</summary>
    [Range(1, 100_000)]
    public int AlignmentSteps { get; init; } = 3;

    /// <summary>K2: steps on the user's rows.</summary>
    [Range(1, 100_000)]
    public int UserSteps { get; init; } = 7;

    /// <summary>rho: the pull towards the last weights of the other state; papers differ from 0.01 to 1.</summary>
    [Range(0.0, 1e6)]
    public double Rho { get; init; } = 1;

    /// <summary>The share of the steps after which the pull begins.</summary>
    [Range(0.0, 1.0)]
    public double PullAfter { get; init; } = 0.1;
}

/// <summary>Lisa (Huang et al. 2024): tuning alternates between alignment rows and user rows, and each state is pulled
/// towards the last weights of the other by rho/2 ||w - w_other||^2, so that neither drifts far.</summary>
public sealed class Lisa(LisaSettings settings) : ITechnique, IHookSource, IExclusive
{
    public static Card Card { get; } = new(
        "lisa", "Lisa", Phase.DuringTuning, TechniqueRole.Defense, Touches.Training,
        "https://arxiv.org/abs/2405.18641", "Alternates alignment and user steps, each pulled towards the other's weights.");

    public TuningPart Takes => TuningPart.Batches;

    public TrainingHook CreateHook(TechniqueContext context) => context.Alignment.Count > 0
        ? new Hook(settings, [.. context.Alignment.Select(context.Encode)])
        : throw new TemperException($"{Card.Id}: found no alignment rows, expected some to alternate with the user's");

    /// <summary>Whether a step is one of alignment.</summary>
    public static bool IsAlignment(int step, LisaSettings settings) => step % (settings.AlignmentSteps + settings.UserSteps) < settings.AlignmentSteps;

    private sealed class Hook(LisaSettings settings, EncodedExample[] rows) : TrainingHook
    {
        private EncodedExample[] _alignment = [];
        private Dictionary<string, Tensor> _trainable = [];
        private Snapshot? _afterAlignment;
        private Snapshot? _afterUser;
        private int _steps;

        public override string Name => Card.Id;

        public override IReadOnlyDictionary<string, Tensor> State => _afterAlignment is null ? new Dictionary<string, Tensor>(StringComparer.Ordinal) : new Dictionary<string, Tensor>(
            _afterAlignment.Values.Select(p => KeyValuePair.Create($"alignment/{p.Key}", p.Value)).Concat(_afterUser!.Values.Select(p => KeyValuePair.Create($"user/{p.Key}", p.Value))),
            StringComparer.Ordinal);

        public override void OnStart(TrainingStart arguments)
        {
            var (plan, longest) = (arguments.Plan, arguments.Model.Config.MaxPositions);
            _alignment = [.. rows.Select(r => r.Cut(Math.Min(plan.MaxTokens, longest))).Where(r => r.HasTarget)];
            _trainable = new(arguments.Trainable, StringComparer.Ordinal);
            (_steps, _afterAlignment, _afterUser) = (arguments.Plan.Steps, Snapshot.Take(_trainable), Snapshot.Take(_trainable));
        }

        public override Batch? ChooseBatch(BatchChoice arguments)
        {
            if (!IsAlignment(arguments.Step, settings))
            {
                return null;
            }

            var random = new Random(unchecked((int)arguments.Seed) + arguments.Part);
            return Batch.Of([.. arguments.Planned.Select(_ => _alignment[random.Next(_alignment.Length)])]);
        }

        /// <summary>The gradient of the pull, rho (w - w_other), added where it is cheapest.</summary>
        public override void OnGradients(GradientArguments arguments)
        {
            if (settings.Rho == 0 || arguments.Step < settings.PullAfter * _steps)
            {
                return;
            }

            var other = (IsAlignment(arguments.Step, settings) ? _afterUser : _afterAlignment)!.Values;
            foreach (var (name, weight) in arguments.Trainable)
            {
                weight.grad?.add_((weight - other[name]) * settings.Rho);
            }
        }

        public override StepAction AfterStep(StepArguments arguments)
        {
            var now = IsAlignment(arguments.Step, settings);
            if (now != IsAlignment(arguments.Step + 1, settings))
            {
                (now ? _afterAlignment : _afterUser)!.Renew(_trainable);
            }

            return StepAction.Continue;
        }

        protected override void Dispose(bool disposing)
        {
            _afterAlignment?.Dispose();
            _afterUser?.Dispose();
        }
    }
}
