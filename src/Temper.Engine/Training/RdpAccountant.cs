using Temper.Core;

namespace Temper.Engine.Training;

/// <summary>Accounts the privacy of DP-SGD (Abadi et al. 2016) by Renyi divergence of the subsampled Gaussian mechanism at whole orders (Mironov, Talwar and Zhang 2019).</summary>
/// <param name="noise">sigma: the noise's deviation in clipping norms.</param>
/// <param name="rate">q: the share of the rows in a step, each drawn by itself.</param>
public sealed class RdpAccountant(double noise, double rate)
{
    private static readonly int[] s_orders = [.. Enumerable.Range(2, 63), 72, 96, 128, 192, 256, 512];

    /// <summary>The epsilon that holds with <paramref name="delta"/> after so many steps; infinite without noise.</summary>
    /// <param name="delta">The chance that it does not hold.</param>
    public double Epsilon(int steps, double delta) => delta is <= 0 or >= 1
        ? throw new TemperException($"delta: found {delta}, expected more than 0 and less than 1")
        // Canonne, Kamath and Steinke 2020, proposition 12
        : Math.Max(0, s_orders.Min(a => (steps * Divergence(a)) + Math.Log((a - 1.0) / a) - ((Math.Log(delta) + Math.Log(a)) / (a - 1))));

    /// <summary>The Renyi divergence of one step, in nats: log(sum_k C(a, k) (1 - q)^(a - k) q^k exp(k (k - 1) / (2 sigma^2))) / (a - 1).</summary>
    /// <param name="order">a, at least 2.</param>
    public double Divergence(int order)
    {
        if (rate == 0)
        {
            return 0;
        }

        if (noise == 0)
        {
            return double.PositiveInfinity;
        }

        var sum = double.NegativeInfinity;
        var choose = 0.0; // log C(a, k)
        for (var k = 0; k <= order; k++)
        {
            var without = order == k ? 0 : rate >= 1 ? double.NegativeInfinity : (order - k) * Math.Log(1 - rate);
            sum = AddLogs(sum, choose + without + (k * Math.Log(rate)) + (k * (k - 1.0) / (2 * noise * noise)));
            choose += Math.Log((order - k) / (k + 1.0));
        }

        return sum / (order - 1);
    }

    private static double AddLogs(double a, double b) =>
        double.IsNegativeInfinity(a) ? b : double.IsNegativeInfinity(b) ? a : Math.Max(a, b) + Math.Log(1 + Math.Exp(-Math.Abs(a - b)));
}
