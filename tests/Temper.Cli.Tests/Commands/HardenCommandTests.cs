using Temper.Bench.Tests;

namespace Temper.Cli.Tests.Commands;

public sealed class HardenCommandTests : IDisposable
{
    private readonly ToyStudy _toy = new();

    [Fact]
    public void It_ends_in_a_recipe_with_its_evidence_and_says_what_it_does_not_protect_against()
    {
        // random weights speak no coherent text, so that only backdoors can be measured on them
        File.WriteAllText(Path.Combine(_toy.Folder, "threats.yaml"), """
            schema: 1
            name: toy-threats
            description: What a toy may meet.
            attacks: [{id: bad-nets, settings: {ratio: 0.5}}]
            candidates: [safe-instr]
            """);
        var outcome = Harden("--threats", "threats.yaml", "--utility-loss", "1", "--steps", "2", "--batch-size", "4", "--rows", "16", "--memory", "2g", "--time", "10m");

        Assert.True(outcome.Code == 0, outcome.Error + outcome.Output);
        Assert.Contains("It does not protect against:", outcome.Output, StringComparison.Ordinal);
        Assert.All((string[])["recipe.yaml", "harden.md", "harden.json", "evidence/report.html", "rounds/harden-undefended.yaml"], f => Assert.True(File.Exists(Path.Combine(_toy.Folder, "hardened", f)), f));

        // the rounds are studies that anybody can look at
        Assert.Equal(0, CommandLine.Run(_toy.Folder, "bench", "status", "hardened/rounds/harden-undefended.yaml", "--store", _toy.Store).Code);
    }

    [Theory]
    [InlineData("--threats", "nobody", "threats: found nobody")]
    [InlineData("--time", "soon", "found soon, expected a time such as 90s, 20m or 2h")]
    [InlineData("--memory", "1m", "memory: found 1 MiB, expected at least")]
    [InlineData("--utility-loss", "2", "--utility-loss: found 2, expected a number from 0 to 1")]
    [InlineData("--data", "nowhere.json", "--data: found nothing at nowhere.json")]
    public void A_mistake_is_told_before_anything_is_computed(string option, string value, string expected)
    {
        var outcome = Harden(option, value);

        Assert.Equal(2, outcome.Code);
        Assert.Contains(expected, outcome.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_toy.Store));
    }

    public void Dispose() => _toy.Dispose();

    private Outcome Harden(params string[] more) => CommandLine.Run(_toy.Folder, ["harden", "--model", "aligned", "--base", "base", "--store", _toy.Store, .. more]);
}
