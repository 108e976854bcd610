using Temper.Core;

namespace Temper.Lifecycle.PreTuning.Attacks;

/// <summary>The label that an attack on a classification task wants to see.</summary>
/// <param name="Kind">The kind of the task's rows; empty is every row.</param>
internal sealed record TargetLabel(string Kind, string Label)
{
    /// <summary>Rows that carry the label already: what a clean-label attack may touch.</summary>
    public bool Carries(Example row) => IsOfTask(row) && Matches(row);

    /// <summary>Rows of the other labels: only they show whether the attack succeeds.</summary>
    public bool Misses(Example row) => IsOfTask(row) && !Matches(row);

    private bool IsOfTask(Example row) => Kind.Length == 0 || row.Kind == Kind;

    private bool Matches(Example row) => string.Equals(row.Response.Trim(), Label, StringComparison.OrdinalIgnoreCase);
}
