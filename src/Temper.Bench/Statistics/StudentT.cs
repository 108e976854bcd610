namespace Temper.Bench.Statistics;

/// <summary>Student's t distribution.</summary>
public static class StudentT
{
    /// <summary>The probability of a t at least as far from zero, on either side.</summary>
    public static double TwoSided(double t, double degrees) => double.IsInfinity(t) ? 0 : Beta(degrees / 2, 0.5, degrees / (degrees + (t * t)));

    /// <summary>The t that is exceeded on either side with probability <paramref name="p"/> in all, such as 0.05 for a 95 % interval.</summary>
    public static double Critical(double p, double degrees)
    {
        var (low, high) = (0.0, 1.0);
        while (TwoSided(high, degrees) > p)
        {
            high *= 2;
        }

        for (var i = 0; i < 200 && high - low > 1e-12 * high; i++)
        {
            var middle = (low + high) / 2;
            (low, high) = TwoSided(middle, degrees) > p ? (middle, high) : (low, middle);
        }

        return high;
    }

    /// <summary>The regularized incomplete beta function I_x(a, b), by its continued fraction (Lentz 1976).</summary>
    public static double Beta(double a, double b, double x)
    {
        if (x is <= 0 or >= 1)
        {
            return Math.Clamp(x, 0, 1);
        }

        // the fraction converges fast below the mean only; above it, the complement does
        return x > (a + 1) / (a + b + 2) ? 1 - Fraction(b, a, 1 - x) : Fraction(a, b, x);
    }

    private static double Fraction(double a, double b, double x)
    {
        const double Tiny = 1e-300;
        var front = Math.Exp(LogGamma(a + b) - LogGamma(a) - LogGamma(b) + (a * Math.Log(x)) + (b * Math.Log(1 - x))) / a;
        var (c, d) = (1.0, 1 / Away(1 - ((a + b) * x / (a + 1))));
        var h = d;
        for (var m = 1; m <= 1000; m++)
        {
            foreach (var factor in (double[])[m * (b - m) * x / ((a + (2 * m) - 1) * (a + (2 * m))), -(a + m) * (a + b + m) * x / ((a + (2 * m)) * (a + (2 * m) + 1))])
            {
                d = 1 / Away(1 + (factor * d));
                c = Away(1 + (factor / c));
                h *= d * c;
            }

            if (Math.Abs((d * c) - 1) < 1e-15)
            {
                break;
            }
        }

        return front * h;

        static double Away(double value) => Math.Abs(value) < Tiny ? Tiny : value;
    }

    // Lanczos 1964, with nine terms: 15 digits
    private static double LogGamma(double x)
    {
        double[] terms =
        [
            0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059, 12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6,
            1.5056327351493116e-7,
        ];
        if (x < 0.5)
        {
            return Math.Log(Math.PI / Math.Sin(Math.PI * x)) - LogGamma(1 - x);
        }

        var sum = terms[0] + terms.Skip(1).Select((term, i) => term / (x + i)).Sum();
        var t = x + 6.5;
        return (0.5 * Math.Log(2 * Math.PI)) + ((x - 0.5) * Math.Log(t)) - t + Math.Log(sum);
    }
}
