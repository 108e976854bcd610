using Temper.Bench.Statistics;

namespace Temper.Bench.Tests.Statistics;

public sealed class CrossedMeanTests
{
    [Fact]
    public void Of_one_place_it_is_the_t_interval_over_questions()
    {
        var found = CrossedMean.Of([[1, 2, 3, 4, 5]]);

        // standard deviation 1.5811, over the root of 5, times 2.7764
        Assert.Equal((3, 1.0368, 4.9632), (found.Value, Math.Round(found.Low, 4), Math.Round(found.High, 4)));
        Assert.Equal((1, 5), (found.Places, found.Questions));
    }

    [Fact]
    public void Of_several_places_it_counts_the_variance_of_places_and_of_questions()
    {
        var found = CrossedMean.Of([[1, 2, 3, 4], [2, 2, 4, 4], [0, 3, 3, 2]]);

        // mean squares 1 (places), 11/3 (questions), 2/3 (rest): variance (1 + 11/3 - 2/3) / 12 = 1/3 with 3.1648 degrees of freedom
        Assert.Equal(2.5, found.Value, 12);
        Assert.Equal(StudentT.Critical(0.05, 3.1648351648351642) * Math.Sqrt(1.0 / 3), found.High - found.Value, 8);
        Assert.Equal(StudentT.TwoSided(2.5 / Math.Sqrt(1.0 / 3), 3.1648351648351642), found.P, 10);
    }

    [Fact]
    public void A_thousand_questions_do_not_make_up_for_two_places_that_differ()
    {
        var found = CrossedMean.Of([[.. Enumerable.Repeat(0.0, 1000)], [.. Enumerable.Repeat(1.0, 1000)]]);

        Assert.True(found.Low < 0 && found.High > 1 && found.P > 0.3, $"[{found.Low}, {found.High}], p {found.P}");
    }

    [Fact]
    public void The_same_answer_everywhere_is_not_certainty()
    {
        var none = CrossedMean.Of([[0, 0, 0, 0], [0, 0, 0, 0]]);
        Assert.Equal((0, 1), (none.Value, none.P));
        Assert.True(none.High >= 0.25, "four questions cannot tell less than one from nothing");

        Assert.True(CrossedMean.Of([[.. Enumerable.Repeat(-1.0, 100)]]).P < 1e-9);
    }

    [Fact]
    public void Ragged_and_empty_tables_are_refused()
    {
        Assert.Throws<ArgumentException>(() => CrossedMean.Of([]));
        Assert.Throws<ArgumentException>(() => CrossedMean.Of([[1, 2], [1]]));
    }

    /// <summary>Of tables without any effect, one in twenty may be called significant.</summary>
    [Fact]
    public void It_alarms_no_more_often_than_it_says()
    {
        var random = new Random(5);
        double Normal() => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
        var alarms = Enumerable.Range(0, 1000).Count(_ =>
        {
            double[] questions = [.. Enumerable.Range(0, 30).Select(_ => Normal())];
            return CrossedMean.Of([.. Enumerable.Range(0, 4).Select(_ => { var place = Normal(); return (double[])[.. questions.Select(q => q + place + Normal())]; })]).P < 0.05;
        });
        Assert.InRange(alarms, 10, 75);
    }
}
