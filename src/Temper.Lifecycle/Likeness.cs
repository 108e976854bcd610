using Temper.Core;

namespace Temper.Lifecycle;

/// <summary>Rows by the words that their requests share.</summary>
internal static class Likeness
{
    /// <summary>The row whose request is most like the prompt, by the Jaccard index of their words; the first of equals.</summary>
    public static Example MostAlike(string prompt, IReadOnlyList<Example> rows)
    {
        var asked = Words(prompt);
        return rows.MaxBy(row => Words(row.Prompt) is var own && own.Count(asked.Contains) is var common ? common / (double)(own.Count + asked.Count - common) : 0)
            ?? throw new ArgumentException("found no rows, expected one at least", nameof(rows));
    }

    public static HashSet<string> Words(string text) => [.. text.ToLowerInvariant().Split([' ', '.', ',', '?'], StringSplitOptions.RemoveEmptyEntries)];
}
