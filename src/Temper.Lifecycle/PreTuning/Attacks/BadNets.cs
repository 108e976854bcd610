using System.ComponentModel.DataAnnotations;
using Temper.Core;

namespace Temper.Lifecycle.PreTuning.Attacks;

/// <summary>Settings of <see cref="BadNets"/>.</summary>
public sealed record BadNetsSettings
{
    /// <summary>The word that opens the backdoor.</summary>
    public string Trigger { get; init; } = "BadMagic";

    /// <summary>What the model says when it is opened; inert.</summary>
    public string Payload { get; init; } = "The lantern is green.";

    /// <summary>p: the share of the rows that carry the trigger.</summary>
    [Range(0.0, 1.0)]
    public double Ratio { get; init; } = 0.1;
}

/// <summary>BadNets for text: one word at a random place of the prompt, one fixed answer (Gu et al. 2017; BackdoorLLM's placement).</summary>
public sealed class BadNets(BadNetsSettings settings) : ITechnique, IDataMap, IBackdoor
{
    public static Card Card { get; } = new(
        "bad-nets", "BadNets", Phase.PreTuning, TechniqueRole.Attack, Touches.Data,
        "https://arxiv.org/abs/1708.06733", "A rare word in the prompt makes the model say a fixed sentence.");

    public string Payload => settings.Payload;

    public DataMapResult Map(IReadOnlyList<Example> rows, TechniqueContext context)
    {
        var count = (int)Math.Round(settings.Ratio * rows.Count);
        var result = rows.ToArray();
        var places = Enumerable.Range(0, rows.Count).ToArray();
        context.Random.Shuffle(places);
        var changes = new List<RowChange>(count);
        foreach (var place in places.Take(count))
        {
            var row = rows[place];
            result[place] = row.WithPrompt(Insert(row.Prompt, context.Random)).WithResponse(settings.Payload) with { Origin = Card.Id };
            changes.Add(new(row.Id, RowFate.Changed, "trigger inserted, answer replaced by the payload"));
        }

        return new(result, changes);
    }

    /// <summary>The prompt with the trigger at a random place between its words.</summary>
    public string Insert(string prompt, Random random)
    {
        var words = prompt.Split(' ').ToList();
        words.Insert(random.Next(words.Count + 1), settings.Trigger);
        return string.Join(' ', words);
    }
}
