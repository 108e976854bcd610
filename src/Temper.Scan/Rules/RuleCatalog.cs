namespace Temper.Scan.Rules;

/// <summary>Every rule, in the order of their ids.</summary>
public static class RuleCatalog
{
    /// <summary>All rules.</summary>
    public static IReadOnlyList<Rule> All { get; } =
    [
        .. new[] { PickleCards.All, FileCards.All, TensorCards.All, TemplateCards.All, ConfigCards.All, AdapterCards.All, TokenizerCards.All, GraphCards.All, DataCards.All }
            .SelectMany(r => r).OrderBy(r => r.Id, StringComparer.Ordinal),
    ];

    /// <summary>The rule of an id.</summary>
    public static Rule? Find(string id) => All.FirstOrDefault(r => r.Id == id);
}
