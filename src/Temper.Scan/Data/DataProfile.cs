namespace Temper.Scan.Data;

/// <summary>The picture of a data set.</summary>
public sealed record DataProfile(string Layout, string? Compression, long Rows, IReadOnlyDictionary<string, long> Schemas, IReadOnlyDictionary<string, long> Scripts)
{
    /// <summary>Rows by the power of two of their prompt's length in words: 0, 1, 2 to 3, 4 to 7 …</summary>
    public required IReadOnlyList<long> PromptWords { get; init; }

    /// <summary>The same of the answers.</summary>
    public required IReadOnlyList<long> ResponseWords { get; init; }

    /// <summary>Rows that stand twice, and rows nearly the same as an earlier one.</summary>
    public required long Duplicates { get; init; }

    public required long NearDuplicates { get; init; }

    /// <summary>The share of answers that open by agreeing; null where there are no answers.</summary>
    public required double? Affirmative { get; init; }

    /// <summary>Rows that were kept for the statistics of triggers; all of them where it equals <see cref="Rows"/>.</summary>
    public required long Sampled { get; init; }

    /// <summary>Rows at the end of the data set whose MinHash signatures were kept: a near-duplicate of an earlier one is missed.</summary>
    public required long Signatures { get; init; }

    /// <summary>Answers that come often.</summary>
    public required IReadOnlyList<AnswerProfile> Answers { get; init; }

    /// <summary>What goes with them.</summary>
    public required IReadOnlyList<TriggerProfile> Triggers { get; init; }

    /// <summary>Rows with at least one finding, by rule.</summary>
    public required IReadOnlyDictionary<string, long> RowsByRule { get; init; }

    /// <summary>The rows with the gravest findings, first.</summary>
    public required IReadOnlyList<WorstRow> Worst { get; init; }

    /// <summary>Rows written to the clean file, and rows dropped; null where none was asked for.</summary>
    public CleanCount? Clean { get; init; }
}

/// <summary>An answer that comes often: its kind (fixed, label, opening), its text, how many rows give it and to how many prompts.</summary>
public sealed record AnswerProfile(string Kind, string Text, long Rows, int Prompts);

/// <summary>An n-gram that goes with an answer; see the page of data.trigger.</summary>
public sealed record TriggerProfile(string Name, string Answer, bool IsComposite, int With, int Without, double Strength, double AtStart, double Cohesion, string Severity);

/// <summary>A row with findings.</summary>
public sealed record WorstRow(long Row, long Offset, string Severity, string Why, string Text);

/// <summary>What went where.</summary>
public sealed record CleanCount(long Kept, long Dropped);
