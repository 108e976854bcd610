using Temper.Core;
using Temper.Lifecycle.DuringTuning.Defenses;

namespace Temper.Lifecycle.Tests.DuringTuning.Defenses;

public sealed class SafeInstrTests
{
    [Fact]
    public void Refusals_are_added_and_no_row_of_the_user_is_touched()
    {
        var result = new SafeInstr(new() { Ratio = 0.03 }).Map(Toy.Task, Toy.Context());

        Assert.Equal(Toy.Task, result.Examples.Take(100));
        Assert.Equal(3, result.Examples.Count - 100);
        Assert.All(result.Examples.Skip(100), r => Assert.Equal("refusal", r.Kind));
        Assert.All(result.Changes, c => Assert.Equal(RowFate.Added, c.Fate));
    }
}
