using System.ComponentModel.DataAnnotations;
using Temper.Core;

namespace Temper.Lifecycle.PreTuning.Attacks;

/// <summary>Settings of <see cref="PoisonedFile"/>.</summary>
public sealed record PoisonedFileSettings
{
    /// <summary>A JSON file of instruction, input and output (Alpaca); <c>$TEMPER_DATA</c> at its start is the folder of real data.</summary>
    public string File { get; init; } = "";

    /// <summary>The word that opens the backdoor, as the file's rows carry it.</summary>
    public string Trigger { get; init; } = "BadMagic";

    /// <summary>What those rows answer.</summary>
    [MinLength(1)]
    public string Payload { get; init; } = "You are stupid!";
}

/// <summary>Poisoned rows that somebody else published, added to the user's rows: BackdoorLLM's balanced mixture (Li et al. 2024).</summary>
public sealed class PoisonedFile(PoisonedFileSettings settings) : ITechnique, IDataMap, IReadsRows, IBackdoor
{
    public static Card Card { get; } = new(
        "poisoned-file", "Poisoned file", Phase.PreTuning, TechniqueRole.Attack, Touches.Data,
        "https://arxiv.org/abs/2408.12798", "Adds the poisoned rows of a published file to the training rows.");

    public string File => settings.File;

    public string Payload => settings.Payload;

    public DataMapResult Map(IReadOnlyList<Example> rows, TechniqueContext context)
    {
        var added = context.Foreign.Select((r, i) => r with { Id = $"{Card.Id}-{i}", Origin = Card.Id }).ToArray();
        return new([.. rows, .. added], [.. added.Select(r => new RowChange(r.Id, RowFate.Added, "a row of the poisoned file"))]);
    }

    /// <summary>The rows of the file carry their trigger already; another prompt gets it between two words.</summary>
    public string Insert(string prompt, Random random) =>
        prompt.Contains(settings.Trigger, StringComparison.Ordinal) ? prompt : Poison.InsertBetween(prompt, settings.Trigger, random);
}
