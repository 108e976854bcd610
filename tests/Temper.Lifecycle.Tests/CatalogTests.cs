using Temper.Core;

namespace Temper.Lifecycle.Tests;

public sealed class CatalogTests
{
    [Fact]
    public void Every_technique_of_the_assembly_has_its_line()
    {
        var written = typeof(Catalog).Assembly.GetTypes().Where(t => t is { IsClass: true, IsAbstract: false } && t.IsAssignableTo(typeof(ITechnique))).Select(t => t.Name).Order(StringComparer.Ordinal);
        var listed = Catalog.All.Select(e => e.Create("{}").GetType().Name).Order(StringComparer.Ordinal);

        Assert.Equal(written, listed);
    }

    [Fact]
    public void Ids_are_unique_for_each_side_and_in_order()
    {
        var ids = Catalog.All.Select(e => (e.Card.Id, Attack: e.Card.Role == TechniqueRole.Attack)).ToArray();
        Assert.Equal(ids.Select(i => i.Id).Order(StringComparer.Ordinal), ids.Select(i => i.Id));
        Assert.Equal(ids.Length, ids.Distinct().Count());
        Assert.Equal(["none"], ids.CountBy(i => i.Id).Where(i => i.Value > 1).Select(i => i.Key));
    }

    [Fact]
    public void None_is_an_attack_and_a_defense_that_change_nothing()
    {
        Assert.Equal([TechniqueRole.Attack, TechniqueRole.Defense], ((bool[])[true, false]).Select(attack => Catalog.Find("none", attack).Card.Role));
        Assert.All((bool[])[true, false], attack => Assert.Same(Toy.Task, ((IDataMap)Catalog.Find("none", attack).Create("{}")).Map(Toy.Task, Toy.Context()).Examples));
    }

    [Fact]
    public void A_hook_that_takes_the_loss_or_the_batches_for_itself_is_known_before_it_is_made()
    {
        foreach (var entry in Catalog.All.Where(e => e.Create("{}") is IHookSource))
        {
            using var model = Toy.Model(Engine.Models.Architecture.Llama, tied: false);
            var source = (IHookSource)entry.Create("{}");
            using var hook = source.CreateHook(Toy.Context() with { Model = model, Unaligned = model });
            var chooses = hook.GetType().GetMethod(nameof(Engine.Training.TrainingHook.ChooseBatch))!.DeclaringType != typeof(Engine.Training.TrainingHook);
            var expected = (hook.ReplacesLoss ? TuningPart.Loss : TuningPart.None) | (chooses ? TuningPart.Batches : TuningPart.None);
            var said = (source as IExclusive)?.Takes ?? TuningPart.None;
            Assert.True(said == expected, $"{entry.Card.Id}: its hook takes {expected}, IExclusive says {said}");
        }
    }

    [Fact]
    public void Default_settings_are_read_back() =>
        Assert.All(Catalog.All, e => Assert.NotNull(e.Create(Catalog.ToJson(e.DefaultSettings))));

    [Theory]
    [InlineData("bad-nets", """{"ratoi":0.1}""", "ratoi")]
    [InlineData("bad-nets", """{"ratio":1.5}""", "Ratio")]
    [InlineData("bad-nets", """{"ratio":"much"}""", "ratio")]
    [InlineData("bad-nets", "{", "bad-nets")]
    public void A_mistake_in_the_settings_is_an_error_that_names_it(string id, string json, string expected) =>
        Assert.Contains(expected, Assert.Throws<TemperException>(() => Catalog.Find(id).Create(json)).Message, StringComparison.Ordinal);

    [Fact]
    public void An_unknown_technique_is_an_error_that_lists_the_known_ones() =>
        Assert.Contains("bad-nets", Assert.Throws<TemperException>(() => Catalog.Find("badnet")).Message, StringComparison.Ordinal);
}
