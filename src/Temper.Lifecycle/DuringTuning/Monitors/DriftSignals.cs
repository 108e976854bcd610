using Temper.Engine.Checkpoints;
using Temper.Engine.Models;
using Temper.Engine.Training;
using Temper.Lifecycle.DuringTuning.Defenses;
using Temper.Lifecycle.Evaluation;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.DuringTuning.Monitors;

/// <summary>Measures the signals of drift against the model that tuning begins with; only those that are asked for.</summary>
internal sealed class DriftSignals(TechniqueContext context, int probes, IReadOnlySet<DriftSignal> asked) : IDisposable
{
    private const int AnswerTokens = 12;
    private const int WatchedRows = 64;
    private const double Fastest = 0.95;

    private readonly int[][] _forbidden = [.. context.Alignment.Take(probes).Select(r => context.Prompt(r.Question, ""))];
    private readonly int[][] _allowed = [.. (asked.Contains(DriftSignal.ProjectionLoss) ? context.Task : []).Take(probes).Select(r => context.Prompt(r.Question, ""))];
    private readonly long[] _refusals = RefusalProbe.FirstTokens(context);
    private readonly List<Tensor> _kept = [];
    private EncodedExample[] _harmful = [];
    private EncodedExample[] _aligned = [];
    private EncodedExample[] _rows = [];
    private LayerUpdates? _updates;
    private Tensor? _logProbs; // (n, V)
    private Tensor? _direction; // (D,)
    private Tensor[] _attention = []; // L of (n, D)
    private float[] _losses = [];
    private double _mass;
    private double _gap;
    private double _harmfulLoss;
    private double _conflict;

    public void Start(TrainingStart arguments)
    {
        var model = arguments.Model;
        EncodedExample[] Usable(IEnumerable<Core.Example> rows) => rows.Any() ? [.. new RowSampler("drift monitor", [.. rows.Select(context.Encode)], arguments).Rows] : [];
        (_harmful, _aligned) = (Usable(context.Harmful.Take(probes)), Usable(context.Alignment.Take(probes)));
        var every = Math.Max(1, arguments.Rows.Count / WatchedRows);
        _rows = [.. arguments.Rows.Where((_, i) => i % every == 0)];
        _logProbs = Keep(RefusalProbe.LogProbs(model, _forbidden));
        _mass = RefusalProbe.Mass(_logProbs, _refusals);
        if (asked.Contains(DriftSignal.WeightDistance))
        {
            _updates = LayerUpdates.Since(model);
        }

        if (asked.Contains(DriftSignal.HarmfulFall) && _harmful.Length > 0)
        {
            _harmfulLoss = Loss(model, _harmful);
        }

        if (asked.Contains(DriftSignal.ProjectionLoss) && _allowed.Length > 0)
        {
            var gap = Gap(model);
            _direction = Keep(gap / gap.norm().clamp_min(1e-12));
            _gap = gap.norm().item<float>();
        }

        if (asked.Contains(DriftSignal.AttentionDrift))
        {
            _attention = [.. LastStates.Read(model, _forbidden, ForwardOptions.Default, Site.AttentionOutput).Select(Keep)];
        }

        _losses = asked.Contains(DriftSignal.RowFall) ? Losses(model) : [];
    }

    /// <summary>Keeps how the gradients of this step stand to that of alignment; for the next look.</summary>
    public void See(GradientArguments arguments)
    {
        if (!asked.Contains(DriftSignal.GradientConflict))
        {
            return;
        }

        Tensor[] weights = [.. arguments.Trainable.Values.Where(w => w.grad is not null)];
        var (model, batch) = (arguments.Model, Batch.Of(_aligned));
        var user = cat([.. weights.Select(w => w.grad!.reshape(-1))], 0);
        var alignment = Gradients.Flat(() => ResponseLoss.Mean(model, batch), weights); // (P,)
        _conflict = -user.dot(alignment).item<float>() / Math.Max(1e-30, user.norm().item<float>() * (double)alignment.norm().item<float>());
    }

    public DriftReading Read(CausalModel model, int step)
    {
        using var scope = NewDisposeScope();
        var now = RefusalProbe.LogProbs(model, _forbidden);
        Dictionary<DriftSignal, double> values = new()
        {
            [DriftSignal.RefusalLoss] = 1 - (RefusalProbe.Mass(now, _refusals) / Math.Max(1e-30, _mass)),
            [DriftSignal.Divergence] = (_logProbs!.exp() * (_logProbs - now)).sum(-1).mean().item<float>(),
        };
        void Add(DriftSignal signal, Func<double> measure)
        {
            if (asked.Contains(signal))
            {
                values[signal] = measure();
            }
        }

        Add(DriftSignal.HarmfulFall, () => _harmful.Length == 0 ? 0 : _harmfulLoss - Loss(model, _harmful));
        Add(DriftSignal.ProjectionLoss, () => _direction is null ? 0 : 1 - (Gap(model).dot(_direction).item<float>() / Math.Max(1e-30, _gap)));
        Add(DriftSignal.GradientConflict, () => _conflict);
        Add(DriftSignal.WeightDistance, () => _updates!.Layers.Max(l => _updates.Of(l).norm().item<float>() / Math.Max(1e-30, l.Weight.norm().item<float>())));
        Add(DriftSignal.Compliance, () => WeightsProbe.Ask(model, context, [.. context.Alignment.Take(probes)], AnswerTokens, CancellationToken.None)
            .Average(r => RefusalKeywords.Match(r.Text) ? 0.0 : 1));
        Add(DriftSignal.AttentionDrift, () => LastStates.Read(model, _forbidden, ForwardOptions.Default, Site.AttentionOutput)
            .Zip(_attention, (a, before) => (double)((a - before).norm(1) / before.norm(1).clamp_min(1e-12)).mean().item<float>()).Average());
        Add(DriftSignal.RowFall, () => Spread(_losses, Losses(model)));
        return new(step, values);
    }

    public double StartMass => _mass;

    public void Dispose()
    {
        _updates?.Dispose();
        _kept.ForEach(t => t.Dispose());
    }

    private static double Spread(float[] before, float[] now)
    {
        var falls = before.Zip(now, (b, n) => (double)b - n).Order().ToArray();
        return falls.Length == 0 ? 0 : falls[(int)(Fastest * (falls.Length - 1))] - falls[falls.Length / 2];
    }

    private static double Loss(CausalModel model, EncodedExample[] rows)
    {
        using var scope = NewDisposeScope();
        return ResponseLoss.Mean(model, Batch.Of(rows)).item<float>();
    }

    private float[] Losses(CausalModel model)
    {
        using var scope = NewDisposeScope();
        return Checkpoint.Floats(ResponseLoss.PerRow(model, Batch.Of(_rows)));
    }

    private Tensor Gap(CausalModel model) => LastStates.Of(model, _forbidden).mean([0]) - LastStates.Of(model, _allowed).mean([0]); // (D,)

    private Tensor Keep(Tensor tensor)
    {
        _kept.Add(tensor.DetachFromDisposeScope());
        return tensor;
    }
}
