using Temper.Tests;

namespace Temper.Lifecycle.Tests;

public sealed class TechniquePageTests
{
    public static TheoryData<string> Ids => [.. Catalog.All.Select(e => e.Card.Id).Distinct(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Ids))]
    public void Every_technique_has_a_page_that_begins_with_its_card_and_says_what_was_measured(string id)
    {
        var path = Path.Combine(Repository.Root, "docs", "techniques", $"{id}.md");
        Assert.True(File.Exists(path), $"expected {path}: begin it with `temper show {id} --markdown`");

        var page = File.ReadAllText(path);
        Assert.StartsWith(TechniquePage.Write(Catalog.Find(id)), page, StringComparison.Ordinal);
        Assert.True(id == "none" || page.Contains("## Measured", StringComparison.Ordinal), $"expected a section Measured in {path}");
    }
}
