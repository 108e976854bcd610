namespace Temper.Scan.Rules;

/// <summary>What a rule says of itself: the reports, <c>temper rules</c> and its page all come from here.</summary>
public sealed record Rule(string Id, Severity Severity, string Title, string Meaning, string Advice, params string[] Tags)
{
    /// <summary>A finding of this rule.</summary>
    public Finding At(string location, string message, string evidence = "", Severity? severity = null) =>
        new(Id, severity ?? Severity, location, message, evidence.Length > 300 ? evidence[..300] + "…" : evidence, Advice, Tags);
}
