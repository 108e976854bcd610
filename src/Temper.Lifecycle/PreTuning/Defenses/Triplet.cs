using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Engine.Models;
using Temper.Engine.Training;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Temper.Lifecycle.PreTuning.Defenses;

/// <summary>Settings of <see cref="Triplet"/>.</summary>
public sealed record TripletSettings : ImmunizationSettings
{
    public TripletSettings() => (Steps, LearningRate, BatchSize) = (150, 1e-2, 16);

    /// <summary>The first of the blocks whose states are told apart, from 0; null for two thirds of the depth, as 20 of 32.</summary>
    [Range(0, 1000)]
    public int? FirstLayer { get; init; }

    /// <summary>m_b: by how much a benign state is nearer to what it was than to harmful ones.</summary>
    [Range(0.0, 2.0)]
    public double BenignMargin { get; init; } = 1;

    /// <summary>m_h: by how much a harmful state is nearer to the other harmful ones than to what it was.</summary>
    [Range(0.0, 2.0)]
    public double HarmfulMargin { get; init; } = 1;

    /// <summary>The weight of KL(before || after) on benign rows.</summary>
    [Range(0.0, 1000.0)]
    public double Divergence { get; init; } = 1;

    [Range(1, 1024)]
    public int Rank { get; init; } = 16;
}

/// <summary>Triplet, contrastive representation learning (Simko et al. 2025): with d = 1 - cos, benign answers stay where they were, relu(d(h_b, h'_b) - d(h'_b, mu) + m_b), and
/// complying ones gather away from where they were, relu(d(h'_h, mu) - d(h'_h, h_h) + m_h); mu is the mean harmful state of the batch.</summary>
public sealed class Triplet(TripletSettings settings) : ITechnique, IWeightMap
{
    public static Card Card { get; } = new(
        "triplet", "Triplet (CRL)", Phase.PreTuning, TechniqueRole.Defense, Touches.Weights,
        "https://arxiv.org/abs/2506.11938", "Gathers the states of complying answers away from where they were and keeps benign ones, by a triplet loss.");

    public void Map(CausalModel model, TechniqueContext context, CancellationToken cancellationToken)
    {
        var first = settings.FirstLayer ?? model.Config.Layers * 2 / 3;
        Rerouting.RequireLayers(Card.Id, [first], model);
        using var original = ModelFactory.Copy(model);
        using var hook = new Hook(settings, original, first, Immunization.Harmful(Card.Id, context));
        Immunization.TrainAdapter(model, context, settings, settings.Rank, [hook], cancellationToken);
    }

    /// <summary>Both hinges of one layer, a scalar.</summary>
    /// <param name="benign">(n, D) as they are, and <paramref name="benignBefore"/> as they were.</param>
    /// <param name="harmful">(m, D)</param>
    public static Tensor Loss(Tensor benign, Tensor benignBefore, Tensor harmful, Tensor harmfulBefore, double benignMargin, double harmfulMargin)
    {
        using var scope = NewDisposeScope();
        Tensor Distance(Tensor a, Tensor b) => 1 - F.cosine_similarity(a, b, -1);
        var mean = harmful.mean([0], keepdim: true); // (1, D)
        var stays = (Distance(benign, benignBefore) - Distance(benign, mean) + benignMargin).relu().mean();
        var goes = (Distance(harmful, mean) - Distance(harmful, harmfulBefore) + harmfulMargin).relu().mean();
        return (stays + goes).MoveToOuterDisposeScope();
    }

    private sealed class Hook(TripletSettings settings, CausalModel original, int first, EncodedExample[] harmful) : TrainingHook
    {
        public override string Name => Card.Id;

        public override bool ReplacesLoss => true;

        public override Tensor? ReplaceLoss(LossArguments arguments)
        {
            var batch = Immunization.Draw(harmful, settings.BatchSize, new Random(unchecked((int)arguments.Seed)));
            var (bad, good) = (Rerouting.Pair(arguments, original, batch), Rerouting.Pair(arguments, original, arguments.Batch));
            var (badPlaces, goodPlaces) = (Places(batch), Places(arguments.Batch));
            Tensor At(IReadOnlyList<Tensor> states, int layer, Tensor places) => states[layer + 1].reshape(-1, states[0].shape[2]).index_select(0, places);
            var losses = Enumerable.Range(first, arguments.Model.Config.Layers - first).Select(layer => Loss(
                At(good.After, layer, goodPlaces), At(good.Before, layer, goodPlaces), At(bad.After, layer, badPlaces), At(bad.Before, layer, badPlaces),
                settings.BenignMargin, settings.HarmfulMargin));
            var before = original.Logits(At(good.Before, original.Config.Layers - 1, goodPlaces)).log_softmax(-1); // (N, V)
            var after = arguments.Model.Logits(At(good.After, original.Config.Layers - 1, goodPlaces)).log_softmax(-1);
            var divergence = (before.exp() * (before - after)).sum(-1).mean();
            return stack([.. losses]).mean() + divergence * settings.Divergence;
        }

        private static Tensor Places(Batch batch) => batch.Labels.reshape(-1).ne(Batch.Ignored).nonzero().squeeze(1);
    }
}
