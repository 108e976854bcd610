using Temper.Core;
using Temper.Engine.Models;
using Temper.Lifecycle.PostTuning.Attacks;

namespace Temper.Lifecycle.Tests.PostTuning.Attacks;

public sealed class ActivationSteeringTests
{
    [Theory]
    [InlineData(SteeringContrast.Answers)]
    [InlineData(SteeringContrast.Requests)]
    public void The_vector_is_the_coefficient_times_the_difference_of_the_means(SteeringContrast contrast)
    {
        using var model = Toy.Model(Architecture.Llama, tied: true);

        var edit = Steer(model, new() { Contrast = contrast, Layer = 2, Coefficient = 3, Positions = null });

        var context = Toy.Context();
        var (toward, away) = contrast == SteeringContrast.Requests
            ? (Toy.Task.Select(r => context.Prompt(r.Question, "")), Toy.Alignment.Select(r => context.Prompt(r.Question, "")))
            : (Toy.Harmful.Select(r => Toy.Encode(r).Ids[..^1]), Toy.Harmful.Select(r => Toy.Encode(r.WithResponse("I cannot help with that.")).Ids[..^1]));
        var (a, b) = (Activations.MeanInputs(model, [.. toward])[2], Activations.MeanInputs(model, [.. away])[2]);
        Assert.Equal((2, true), (edit.Layer, edit.EveryPosition));
        Assert.InRange(Toy.Distance([.. a.Zip(b, (x, y) => 3 * (x - y))], edit.Values.ToArray()), 0, 1e-4);
    }

    [Fact]
    public void The_token_counts_from_the_beginning_of_the_answer_or_from_its_end()
    {
        using var model = Toy.Model(Architecture.Llama, tied: true);
        float[] At(int token) => Steer(model, new() { Contrast = SteeringContrast.Answers, Layer = 1, Token = token }).Values.ToArray();

        Assert.NotEqual(At(0), At(-2));
        Assert.Equal(At(-1), At(100)); // never behind the answer
        Assert.Equal(At(0), At(-100)); // nor before it
    }

    [Fact]
    public void The_random_control_has_the_same_length_and_another_direction()
    {
        using var model = Toy.Model(Architecture.Llama, tied: true);
        var (vector, random) = (Steer(model, new()), Steer(model, new() { Random = true }));

        double Length(LatentEdit e) => Math.Sqrt(e.Values.ToArray().Sum(v => v * v));
        Assert.Equal(vector.Layer, random.Layer);
        Assert.Equal(Length(vector), Length(random), 1e-4 * Length(vector));
        Assert.NotEqual(vector.Values.ToArray(), random.Values.ToArray());
    }

    [Fact]
    public void A_coefficient_of_zero_changes_nothing()
    {
        using var model = Toy.Model(Architecture.Llama, tied: true);

        Assert.All(Steer(model, new() { Coefficient = 0 }).Values.ToArray(), v => Assert.Equal(0f, v));
    }

    [Fact]
    public void The_divergence_is_symmetric_zero_for_the_same_and_at_most_ln_2()
    {
        float[] a = [1, 2, 3], b = [3, -1, 0], apart = [1000, 0, 0], other = [0, 1000, 0];

        Assert.Equal(0, ActivationSteering.JensenShannon(a, a), 1e-12);
        Assert.Equal(ActivationSteering.JensenShannon(a, b), ActivationSteering.JensenShannon(b, a), 1e-12);
        Assert.Equal(Math.Log(2), ActivationSteering.JensenShannon(apart, other), 1e-12);
        double[] p = Softmax(a), q = Softmax(b);
        var expected = Enumerable.Range(0, 3).Sum(i => (p[i] * Math.Log(2 * p[i] / (p[i] + q[i]))) + (q[i] * Math.Log(2 * q[i] / (p[i] + q[i])))) / 2;
        Assert.Equal(expected, ActivationSteering.JensenShannon(a, b), 1e-9);
    }

    [Fact]
    public void It_is_added_at_every_position_or_at_the_last_ones_of_the_prompt()
    {
        using var model = Toy.Model(Architecture.Llama, tied: true);
        var (every, last) = (Steer(model, new() { Positions = null }), Steer(model, new() { Positions = 2 }));

        Assert.Equal((true, false), (every.EveryPosition, last.EveryPosition));
        Assert.Equal([.. every.Values.ToArray(), .. every.Values.ToArray()], last.Values.ToArray());
    }

    [Fact]
    public void All_requests_share_one_list_of_edits_so_that_they_are_answered_together()
    {
        using var model = Toy.Model(Architecture.Llama, tied: true);
        var chat = new RecordingChat();
        chat.Through(new ActivationSteering(new()), Toy.Context() with { Model = model }, "a", "b");

        Assert.Same(chat.Asked[0].Request.Edits, chat.Asked[1].Request.Edits);
    }

    private static double[] Softmax(float[] x) => [.. x.Select(v => Math.Exp(v) / x.Sum(w => Math.Exp(w)))];

    private static LatentEdit Steer(CausalModel model, ActivationSteeringSettings settings)
    {
        var chat = new RecordingChat();
        chat.Through(new ActivationSteering(settings), Toy.Context() with { Model = model }, "how?");
        return Assert.Single(chat.Asked[0].Request.Edits);
    }
}
