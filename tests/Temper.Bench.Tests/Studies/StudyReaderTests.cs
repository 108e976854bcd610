using Temper.Core;

namespace Temper.Bench.Tests.Studies;

public sealed class StudyReaderTests : IDisposable
{
    private readonly ToyStudy _toy = new();

    [Fact]
    public void A_study_is_read_with_the_settings_as_resolved()
    {
        var study = _toy.Study();

        Assert.Equal("toy", study.Name);
        Assert.Equal(["none", "harmful-rows", "prefill"], study.Attacks.Select(a => a.Name));
        Assert.Contains("\"ratio\":0.5", study.Attacks[1].Configurations[0].Technique.Settings, StringComparison.Ordinal);
        Assert.Contains("\"words\":3", study.Attacks[2].Configurations[0].Technique.Settings, StringComparison.Ordinal);
        Assert.Equal([1, 2], study.Seeds);
        Assert.Equal((2, 4, 1e-3), (study.Plan.Steps, study.Plan.BatchSize, study.Plan.LearningRate));
    }

    [Fact]
    public void All_mistakes_are_reported_at_once_each_with_its_line()
    {
        var message = Mistakes("""
            schema: 2
            name: bad
            models: [nobody]
            colour: red
            plan: {steps: 0}
            attacks: [none, {id: bad-nets, settings: {ratoi: 0.1}}, {id: bad-nets, name: b, settings: {ratio: 2}}, safe-instr]
            defenses: [safe-instr, prefill]
            seeds: [-1]
            evaluation: {harm: many}
            """);

        string[] expected =
        [
            "toy.yaml:1:9: schema: found 2", "toy.yaml:3:10: models[0]: found nobody", "toy.yaml:4:1: colour: found an unknown key", "toy.yaml:5:7: plan: found steps 0",
            "attacks[1].settings.ratoi: found an unknown key, expected one of: trigger, payload, ratio", "attacks[2].settings", "attacks[3]: found safe-instr, no attack",
            "defenses[1]: found prefill, an attack", "defenses: found no `none`", "seeds[0]: found -1", "evaluation.harm: found many",
        ];
        Assert.All(expected, e => Assert.Contains(e, message, StringComparison.Ordinal));
    }

    [Fact]
    public void A_search_makes_one_configuration_of_each_combination()
    {
        var study = _toy.Study(ToyStudy.Yaml.Replace("  - prefill", "  - {id: prefill, search: {words: [1, 2, 5]}}", StringComparison.Ordinal));

        Assert.Equal(["words 1", "words 2", "words 5"], study.Attacks[2].Configurations.Select(c => c.Label));
        Assert.Contains("\"words\":5", study.Attacks[2].Configurations[2].Technique.Settings, StringComparison.Ordinal);
    }

    [Fact]
    public void A_space_is_searched_under_a_budget()
    {
        var study = _toy.Study(Searching("space: {learningRate: {low: 1e-4, high: 1e-2, log: true}, steps: [1, 2], batchSize: {low: 2, high: 8}}, budget: {method: halving, trials: 4, fidelity: steps, steps: 100}"));

        var attack = study.Attacks[2];
        Assert.Equal((Temper.Bench.Searching.SearchMethod.Halving, 4, 100, "steps"), (attack.Search!.Budget.Method, attack.Search.Budget.Trials, attack.Search.Budget.Steps, attack.Search.Budget.Fidelity));
        var configuration = attack.Configure(new([0.5, 0.9, 1]));
        Assert.Equal("learningRate 0.001, steps 2, batchSize 8", configuration.Label);
        Assert.Contains("\"learningRate\":0.001", configuration.Technique.Settings, StringComparison.Ordinal);
    }

    [Fact]
    public void Mistakes_of_a_space_are_reported_with_the_setting()
    {
        var message = Mistakes(Searching("space: {nonsense: [1], learningRate: {low: 2, high: 1}, steps: [1, -5], loraRank: [fat]}, budget: {method: magic, trials: 0, fidelity: rate}"));

        Assert.All((string[])["space.nonsense: found an unknown key", "space.learningRate: found low 2, high 1, expected low < high", "space.steps: found", "space.loraRank: found",
            "budget.method: found magic, expected tpe, halving, random", "budget.trials: found 0", "budget.fidelity: found rate"], e => Assert.Contains(e, message, StringComparison.Ordinal));
    }

    private static string Searching(string keys) => ToyStudy.Yaml.Replace("  - prefill", $"  - {{id: harmful-tuning, {keys}}}", StringComparison.Ordinal);

    [Fact]
    public void A_list_of_defenses_is_a_stack()
    {
        var study = _toy.Study(ToyStudy.Yaml.Replace("[none, safe-instr]", "[none, {stack: [safe-instr, {id: safe-instr, settings: {ratio: 0.5}}]}]", StringComparison.Ordinal));

        Assert.Equal("safe-instr + safe-instr", study.Defenses[1].Name);
        Assert.Equal(2, study.Defenses[1].Stack.Count);
    }

    [Fact]
    public void A_stack_acts_by_phase_whatever_the_order_in_which_it_is_listed()
    {
        var study = _toy.Study(Defended("[safe-lora, lisa, vaccine], [fine-pruning, safe-lora]"));

        Assert.Equal(["vaccine + lisa + safe-lora", "fine-pruning + safe-lora"], study.Defenses.Skip(1).Select(d => d.Name));
        Assert.Equal(["vaccine", "lisa", "safe-lora"], study.Defenses[1].Stack.Select(t => t.Id));
    }

    [Theory]
    [InlineData("[lisa, none]", "defenses[1]: found none among others")]
    [InlineData("[lisa, safe-lora, lisa]", "found lisa 2 times with the same settings")]
    [InlineData("[constrained-sft, {id: constrained-sft, settings: {lateBeta: 1}}]", "found constrained-sft and constrained-sft, which each replace the loss, expected at most one")]
    [InlineData("{stack: [lisa, {id: lisa, settings: {rho: 0.1}}]}", "defenses[1].stack: found lisa and lisa, which each choose the batches")]
    [InlineData("[lisa, prefill]", "defenses[1][1]: found prefill, an attack")]
    public void A_stack_that_cannot_stand_is_a_mistake_with_its_reason(string stack, string expected) =>
        Assert.Contains(expected, Mistakes(Defended(stack)), StringComparison.Ordinal);

    [Fact]
    public void A_search_over_a_defenses_settings_makes_one_defense_of_each_choice()
    {
        var study = _toy.Study(Defended("{id: lisa, search: {rho: [0.1, 1]}}"));

        Assert.Equal(["none", "lisa[rho 0.1]", "lisa[rho 1]"], study.Defenses.Select(d => d.Name));
        Assert.Equal(["", "lisa", "lisa"], study.Defenses.Select(d => d.Grid));
    }

    private static string Defended(string defenses) => ToyStudy.Yaml.Replace("[none, safe-instr]", $"[none, {defenses}]", StringComparison.Ordinal);

    [Fact]
    public void An_agents_task_has_its_own_rows_and_attacks_on_agents_need_one()
    {
        Assert.Equal(Bench.Studies.TaskKind.Agent, _toy.Study(ToyStudy.AgentYaml).Task.Kind);
        Assert.Contains("attacks: found indirect-injection, an attack on agents", Mistakes(ToyStudy.AgentYaml.Replace("kind: agent", "kind: answers", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.Contains("task.kind: found robot", Mistakes(ToyStudy.AgentYaml.Replace("kind: agent", "kind: robot", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.Contains("task: found skills or a file", Mistakes(ToyStudy.AgentYaml.Replace("kind: agent", "kind: agent, skills: [skill:add]", StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "nothing")]
    [InlineData("[1, 2]", "a list of 2")]
    [InlineData("name: [", "expected YAML")]
    [InlineData("a: &x [*x]", "expected")]
    [InlineData("\"\\e[2J wiped\"", "found \\u{001B}[2J wiped")]
    public void What_is_no_study_is_an_error_and_not_a_crash(string yaml, string expected) => Assert.Contains(expected, Mistakes(yaml), StringComparison.Ordinal);

    [Fact]
    public void The_same_name_twice_is_a_mistake() =>
        Assert.Contains("none 2 times", Mistakes(ToyStudy.Yaml.Replace("  - prefill", "  - none", StringComparison.Ordinal)), StringComparison.Ordinal);

    public void Dispose() => _toy.Dispose();

    private string Mistakes(string yaml) => Assert.Throws<TemperException>(() => _toy.Study(yaml)).Message;
}
