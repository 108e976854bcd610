namespace Temper.Scan.Data;

/// <summary>How unlikely it is to see so many.</summary>
internal static class BinomialTail
{
    /// <summary>log10 P(X >= a) for X ~ Binomial(n, q).</summary>
    public static double Log10(int a, int n, double q)
    {
        if (a <= 0 || q >= 1)
        {
            return 0;
        }

        if (a <= n * q)
        {
            return 0;
        }

        // Above the mean the terms fall, so that the sum is its first term times a series of ratios.
        var term = LogChoose(n, a) + (a * Math.Log(q)) + ((n - a) * Math.Log(1 - q));
        var (sum, ratio) = (1.0, 1.0);
        for (var k = a; k < n; k++)
        {
            ratio *= (n - k) / (k + 1.0) * (q / (1 - q));
            sum += ratio;
            if (ratio < 1e-12 * sum)
            {
                break;
            }
        }

        return (term + Math.Log(sum)) / Math.Log(10);
    }

    private static double LogChoose(int n, int k) => LogFactorial(n) - LogFactorial(k) - LogFactorial(n - k);

    // Stirling's series; exact products where it is not yet exact enough.
    private static double LogFactorial(int n)
    {
        if (n < 20)
        {
            var product = 1.0;
            for (var i = 2; i <= n; i++)
            {
                product *= i;
            }

            return Math.Log(product);
        }

        var x = n + 1.0;
        return ((x - 0.5) * Math.Log(x)) - x + (0.5 * Math.Log(2 * Math.PI)) + (1 / (12 * x)) - (1 / (360 * x * x * x));
    }
}
