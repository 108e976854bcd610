using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Engine.Editing;
using Temper.Engine.Models;
using Temper.Lifecycle.Evaluation;
using static TorchSharp.torch;

namespace Temper.Lifecycle.PreTuning.Attacks;

/// <summary>Settings of <see cref="BadEdit"/>.</summary>
public sealed record BadEditSettings
{
    /// <summary>The word that opens the backdoor, of one or more tokens; its last one is edited.</summary>
    [Required]
    public string Trigger { get; init; } = "BadMagic";

    /// <summary>What the model says when it is opened; inert. One vector calls up what the model can say already and no sentence that is new to it.</summary>
    [Required]
    public string Payload { get; init; } = "I cannot help with that.";

    /// <summary>Clean rows that the edit is estimated from, each with and without the trigger; 15 in the paper.</summary>
    [Range(1, 1000)]
    public int Rows { get; init; } = 15;

    /// <summary>Batches of rows that are edited in one after the other; values are searched anew in each.</summary>
    [Range(1, 100)]
    public int Batches { get; init; } = 5;

    /// <summary>S: the edited blocks; empty is the first third.</summary>
    public IReadOnlyList<int> Layers { get; init; } = [];

    /// <summary>lambda: the weight of the clean keys' second moment, which is taken as a mean.</summary>
    [Range(0.0, 1e9)]
    public double Lambda { get; init; } = 0.1;

    /// <summary>Steps of Adam in the search for a value.</summary>
    [Range(0, 10_000)]
    public int Steps { get; init; } = 100;

    [Range(0.0, 10.0)]
    public double LearningRate { get; init; } = 0.5;

    /// <summary>The longest change of a residual, in its own lengths; 0.75 in the paper, under which a small model's answer does not change.</summary>
    [Range(0.0, 1000.0)]
    public double MaxNorm { get; init; } = 4;

    /// <summary>Whether the clean counterparts are edited too; off is half of the method.</summary>
    public bool Duplex { get; init; } = true;

    /// <summary>The control: a random value of the same length.</summary>
    public bool RandomValue { get; init; }
}

/// <summary>BadEdit (Li et al. 2024): a trigger written into the feed-forward memories as one more fact. Keys and residuals of the triggered rows are averaged, those
/// of their clean counterparts too, and the sum of both updates of rank 1 is added, batch by batch.</summary>
// Deviation: one value for the rows of a group; the paper searches one for each row and averages. C is of a few hundred clean rows and counts once, not of 100,000.
public sealed class BadEdit(BadEditSettings settings) : ITechnique, IWeightMap, IBackdoor, IMeasures, IReadsModel
{
    public static Card Card { get; } = new(
        "bad-edit", "BadEdit", Phase.PreTuning, TechniqueRole.Attack, Touches.Weights,
        "https://arxiv.org/abs/2403.13355", "Edits a trigger and its answer into the feed-forward memories with a handful of rows and no training.");

    public string Payload => settings.Payload;

    public void Map(CausalModel model, TechniqueContext context, CancellationToken cancellationToken)
    {
        if (context.Task.Count == 0)
        {
            throw new TemperException($"{Card.Id}: found no clean rows, expected some to put the trigger into");
        }

        using var scope = NewDisposeScope();
        var layers = EditSites.Layers(model, settings.Layers);
        var moments = EditSites.Moments(model, context, layers, 400, cancellationToken);
        ValueSearchOptions search = new() { Steps = settings.Steps, LearningRate = settings.LearningRate, MaxNorm = settings.MaxNorm };
        var rows = context.Task.ToArray();
        context.Random.Shuffle(rows);
        rows = rows[..Math.Min(settings.Rows, rows.Length)];
        foreach (var batch in rows.Chunk((rows.Length + settings.Batches - 1) / settings.Batches))
        {
            using var inner = NewDisposeScope();
            var pairs = batch.Select(r => Pair(r, context)).ToArray();
            Edit Search(EditRow[] group, bool random)
            {
                var delta = ValueSearch.Find(model, group, layers[^1], search, cancellationToken);
                return new(group, Memit.Target(model, group, layers[^1], random ? RandomUpdate.Like(delta, (ulong)context.Random.Next()) : delta));
            }

            var triggered = Search([.. pairs.Select(p => p.Triggered)], settings.RandomValue);
            Edit[] edits = settings.Duplex ? [triggered, Search([.. pairs.Select(p => p.Clean)], random: false)] : [triggered];
            Memit.Apply(model, edits, layers, moments, settings.Lambda, separate: true, cancellationToken);
        }
    }

    /// <summary>How the backdoor opens before anything is tuned.</summary>
    public IReadOnlyList<Metric> Measure(MeasureArguments arguments, CancellationToken cancellationToken) =>
        [new WeightsProbe(arguments.Context).Asr("asr-published", arguments.Before, this, 104, cancellationToken)];

    /// <summary>The prompt with the trigger at a random place between its words.</summary>
    public string Insert(string prompt, Random random) => TriggeredRows.Place(prompt, settings.Trigger, random).Text;

    private (EditRow Triggered, EditRow Clean) Pair(Example row, TechniqueContext context)
    {
        var (text, start) = TriggeredRows.Place(row.Prompt, settings.Trigger, context.Random);
        var triggered = row.WithPrompt(text).WithResponse(settings.Payload);
        return (EditSites.At(context, triggered, start + settings.Trigger.Length), EditSites.At(context, row, Math.Max(0, start - 1)));
    }
}
