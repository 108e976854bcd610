using Temper.Core;
using Temper.Engine.Training;

namespace Temper.Engine.Tests.Training;

public sealed class RdpAccountantTests
{
    [Fact]
    public void Where_every_row_is_in_every_step_it_is_the_Gaussian_mechanism() =>
        Assert.All((int[])[2, 5, 30], a => Assert.Equal(a / (2 * 1.7 * 1.7), new RdpAccountant(1.7, 1).Divergence(a), 9));

    [Fact]
    public void At_order_two_it_is_the_closed_form()
    {
        // log(1 + q^2 (e^(1/sigma^2) - 1))
        const double Sigma = 0.9, Q = 0.05;
        Assert.Equal(Math.Log(1 + (Q * Q * (Math.Exp(1 / (Sigma * Sigma)) - 1))), new RdpAccountant(Sigma, Q).Divergence(2), 12);
    }

    [Theory] // the MNIST settings of TensorFlow Privacy's tutorial; its table (1.19, 3.01, 7.10) converts to epsilon by a looser bound
    [InlineData(1.3, 15, 1.19)]
    [InlineData(1.1, 60, 3.01)]
    [InlineData(0.7, 45, 7.10)]
    public void Known_trainings_cost_somewhat_less_than_by_the_older_bound(double noise, int epochs, double published)
    {
        var epsilon = new RdpAccountant(noise, 256 / 60000.0).Epsilon(epochs * 60000 / 256, 1e-5);
        Assert.InRange(epsilon, 0.75 * published, published);
    }

    [Fact]
    public void More_noise_costs_less_and_more_steps_cost_more()
    {
        Assert.True(new RdpAccountant(2, 0.1).Epsilon(100, 1e-3) < new RdpAccountant(1, 0.1).Epsilon(100, 1e-3));
        Assert.True(new RdpAccountant(1, 0.1).Epsilon(100, 1e-3) < new RdpAccountant(1, 0.1).Epsilon(200, 1e-3));
        Assert.True(new RdpAccountant(1, 0.1).Epsilon(100, 1e-3) < new RdpAccountant(1, 0.2).Epsilon(100, 1e-3));
    }

    [Fact]
    public void Without_noise_there_is_no_privacy_and_without_rows_nothing_is_spent()
    {
        Assert.Equal(double.PositiveInfinity, new RdpAccountant(0, 0.1).Epsilon(1, 1e-3));
        Assert.Equal(0, new RdpAccountant(1, 0).Divergence(10));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void A_delta_that_promises_nothing_or_everything_is_an_error(double delta) =>
        Assert.Contains("delta", Assert.Throws<TemperException>(() => new RdpAccountant(1, 0.1).Epsilon(1, delta)).Message, StringComparison.Ordinal);
}
