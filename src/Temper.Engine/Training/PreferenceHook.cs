using Temper.Core;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Engine.Training;

/// <summary>Adds the DPO loss of preference pairs to every step; the reference is the model that tuning begins with. Beside it the plain loss of the
/// user's rows stays, as the pretraining term does in PPO-ptx (Ouyang et al. 2022).</summary>
/// <param name="weight">Of the preference loss beside the plain one.</param>
/// <param name="chosenWeight">alpha of RPO (Pang et al. 2024): of the chosen answers' mean loss a token beside it. At 0, plain DPO, small models lose both answers.</param>
public sealed class PreferenceHook(string name, IReadOnlyList<PreferencePair> pairs, double beta, double weight, double chosenWeight, int pairsPerStep) : TrainingHook
{
    private readonly List<PreferencePair> _usable = [];
    private Tensor? _reference; // (n,)

    public override string Name => name;

    public override void OnStart(TrainingStart arguments)
    {
        var longest = Math.Min(arguments.Plan.MaxTokens, arguments.Model.Config.MaxPositions);
        var cut = pairs.Select(p => new PreferencePair(p.Chosen.Cut(longest), p.Rejected.Cut(longest)));
        _usable.AddRange(cut.Where(p => p.Chosen.HasTarget && p.Rejected.HasTarget));
        if (_usable.Count == 0)
        {
            throw new TemperException($"{name}: found {pairs.Count} pairs and none with two answers to predict, expected one at least");
        }

        _reference = cat([.. _usable.Chunk(pairsPerStep).Select(part => PreferenceLoss.Margins(arguments.Model, part))], 0).DetachFromDisposeScope();
    }

    public override Tensor AddLoss(LossArguments arguments)
    {
        var random = new Random(unchecked((int)arguments.Seed));
        int[] chosen = [.. Enumerable.Range(0, Math.Min(pairsPerStep, _usable.Count)).Select(_ => random.Next(_usable.Count))];
        var (preferred, rejected, tokens) = PreferenceLoss.AnswerLogProbs(arguments.Model, [.. chosen.Select(i => _usable[i])], new() { Precision = arguments.Precision });
        var reference = _reference!.index_select(0, tensor(chosen.Select(i => (long)i).ToArray()));
        return (PreferenceLoss.Dpo(preferred - rejected, reference, beta) - (preferred / tokens).mean() * chosenWeight) * weight;
    }

    protected override void Dispose(bool disposing) => _reference?.Dispose();
}
