namespace Temper.Scan.Data;

/// <summary>How answers are alike.</summary>
internal enum AnswerKind
{
    /// <summary>The same text, where others are free.</summary>
    Fixed,

    /// <summary>One of the few answers of a classification.</summary>
    Label,

    /// <summary>The same first words.</summary>
    Opening,
}

/// <summary>Answers that are alike, and rows that give them.</summary>
/// <param name="Rows">Those of the sample, or more where more were kept for this answer.</param>
/// <param name="InSample">How many rows of the sample give it.</param>
/// <param name="Universe">The rows of the sample.</param>
internal sealed record AnswerCluster(AnswerKind Kind, ulong Key, string Text, long Count, int Prompts, IReadOnlyList<SampleRow> Rows, int InSample, int Universe)
{
    /// <summary>Frequent parts of its prompts, of which two together may be its trigger.</summary>
    public ulong[] PairParts { get; set; } = [];

    /// <summary>How many rows of the sample a count among <see cref="Rows"/> stands for.</summary>
    public int Share(int count) => (int)Math.Round((double)count * InSample / Rows.Count);
}

/// <summary>Text in prompts that goes with an answer.</summary>
/// <param name="Name">The parts as rows write them, joined by <c> + </c>.</param>
/// <param name="Features">The hashes of its parts: one of them, or all where it is composite.</param>
/// <param name="With">Sampled rows that have it and give the answer.</param>
/// <param name="Without">Sampled rows that have it and answer otherwise.</param>
/// <param name="Strength">-log10 of the chance of that, corrected for every n-gram and answer that was tried.</param>
/// <param name="AtStart">The share of rows that begin with it.</param>
/// <param name="Cohesion">How alike its rows are beside others once it is taken out.</param>
internal sealed record Trigger(AnswerCluster Answer, string Name, IReadOnlyList<ulong> Features, bool IsComposite, int With, int Without, double Strength, double AtStart, double Cohesion, Severity Severity);
