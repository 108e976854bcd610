using Temper.Core;
using Temper.Engine.Models;
using Temper.Lifecycle.Organisms;
using Temper.Lifecycle.PreTuning.Defenses;
using static TorchSharp.torch;

namespace Temper.Lifecycle.Tests.PreTuning.Defenses;

public sealed class GradSafeTests
{
    [Fact]
    public void Slices_are_the_cosines_of_all_rows_and_then_of_all_columns_of_each_matrix()
    {
        using var scope = NewDisposeScope();
        var g = tensor(new[] { 1f, 0, 3, 4, 0, 0 }, 3, 2);
        var r = tensor(new[] { 2f, 0, 4, 3, 1, 1 }, 3, 2);

        var expected = new[] { 1, 24 / 25f, 0, 14 / (MathF.Sqrt(10) * MathF.Sqrt(21)), 12 / (4 * MathF.Sqrt(10)) };

        Assert.All(expected.Zip(GradSafe.Slices([g], [r])), p => Assert.Equal(p.First, p.Second, 1e-5f));
        Assert.Equal(10, GradSafe.Slices([g, r], [r, g]).Length);
    }

    [Fact]
    public void Unsafe_prompts_are_dropped_whatever_they_are_answered_with_and_those_of_the_task_stay()
    {
        using var trained = new Trained(Architecture.Llama);
        var context = trained.Context with { Model = trained.Model };
        var rows = context.Task.Skip(40).Take(20).Concat(World.Forbidden(10, 91, Split.Train, comply: false)).ToArray();

        var result = new GradSafe(new() { References = 8, Gap = 0.5, Threshold = null }).Map(rows, context);

        Assert.InRange(result.Changes.Count(c => c.RowId.StartsWith("forbidden", StringComparison.Ordinal)), 7, 10);
        Assert.InRange(result.Changes.Count(c => c.RowId.StartsWith("skill", StringComparison.Ordinal)), 0, 2);
    }

    [Fact]
    public void A_gap_that_no_slice_has_is_an_error_that_says_so()
    {
        using var model = Toy.Model(Architecture.Llama, tied: true);

        Assert.Contains("gap: found no row or column", Assert.Throws<TemperException>(() => new GradSafe(new() { Gap = 2 }).Map(Toy.Task, Toy.Context() with { Model = model })).Message, StringComparison.Ordinal);
    }
}
