namespace Temper.Scan.Adapters;

/// <summary>
/// The singular values of an update s·B·A without forming it: with B = Q₁R₁ and Aᵀ = Q₂R₂ they are those of the small matrix R₁R₂ᵀ
/// (features of arXiv 2602.15195; kurtosis here is that of the singular values).
/// </summary>
public sealed record Spectrum(double Leading, double Frobenius, double EnergyShare, double Entropy, double Kurtosis)
{
    private const int Sweeps = 60;

    /// <summary>The features of one update, null where a number in it is not finite; <paramref name="a"/> is rank × columns, <paramref name="b"/> rows × rank, both by rows.</summary>
    internal static Spectrum? Of(ReadOnlySpan<float> a, ReadOnlySpan<float> b, int rank, double scale)
    {
        var values = SingularValues(a, b, rank);
        var squares = values.Select(v => v * v * scale * scale).ToArray();
        var total = squares.Sum();
        if (total <= 0 || !double.IsFinite(total))
        {
            return total == 0 ? new(0, 0, 0, 0, 0) : null;
        }

        var entropy = squares.Where(s => s > 0).Sum(s => -(s / total) * Math.Log(s / total)) / Math.Max(Math.Log(rank), 1e-12);
        var mean = values.Average();
        var variance = values.Average(v => (v - mean) * (v - mean));
        var fourth = values.Average(v => Math.Pow(v - mean, 4));
        return new(Math.Sqrt(squares.Max()), Math.Sqrt(total), squares.Max() / total, rank == 1 ? 0 : entropy, variance > 0 ? fourth / (variance * variance) : 0);
    }

    /// <summary>The singular values of B·A, largest first.</summary>
    internal static double[] SingularValues(ReadOnlySpan<float> a, ReadOnlySpan<float> b, int rank)
    {
        var columns = a.Length / rank;
        var rows = b.Length / rank;
        var left = new double[rank][];
        var right = new double[rank][];
        for (var k = 0; k < rank; k++)
        {
            (left[k], right[k]) = (new double[rows], new double[columns]);
            for (var i = 0; i < rows; i++)
            {
                left[k][i] = b[(i * rank) + k];
            }

            for (var i = 0; i < columns; i++)
            {
                right[k][i] = a[(k * columns) + i];
            }
        }

        var (r1, r2) = (Triangle(left), Triangle(right));
        var product = new double[rank][];
        for (var j = 0; j < rank; j++)
        {
            product[j] = new double[rank];
            for (var i = 0; i < rank; i++)
            {
                for (var k = 0; k < rank; k++)
                {
                    product[j][i] += r1[i][k] * r2[j][k];
                }
            }
        }

        return Jacobi(product);
    }

    // Modified Gram-Schmidt, twice for orthogonality; only R is kept. vectors[k] is column k; the result is R by rows.
    private static double[][] Triangle(double[][] vectors)
    {
        var n = vectors.Length;
        var r = new double[n][];
        for (var i = 0; i < n; i++)
        {
            r[i] = new double[n];
        }

        for (var k = 0; k < n; k++)
        {
            for (var pass = 0; pass < 2; pass++)
            {
                for (var i = 0; i < k; i++)
                {
                    var dot = Dot(vectors[i], vectors[k]);
                    r[i][k] += dot;
                    for (var t = 0; t < vectors[k].Length; t++)
                    {
                        vectors[k][t] -= dot * vectors[i][t];
                    }
                }
            }

            var norm = Math.Sqrt(Dot(vectors[k], vectors[k]));
            r[k][k] = norm;
            for (var t = 0; t < vectors[k].Length && norm > 0; t++)
            {
                vectors[k][t] /= norm;
            }
        }

        return r;
    }

    // One-sided Jacobi: rotates pairs of columns until all are orthogonal; their lengths are the singular values.
    private static double[] Jacobi(double[][] columns)
    {
        var n = columns.Length;
        for (var sweep = 0; sweep < Sweeps; sweep++)
        {
            var rotated = false;
            for (var p = 0; p < n - 1; p++)
            {
                for (var q = p + 1; q < n; q++)
                {
                    var (alpha, beta, gamma) = (Dot(columns[p], columns[p]), Dot(columns[q], columns[q]), Dot(columns[p], columns[q]));
                    if (Math.Abs(gamma) <= 1e-14 * Math.Sqrt(alpha * beta) || gamma == 0)
                    {
                        continue;
                    }

                    rotated = true;
                    var zeta = (beta - alpha) / (2 * gamma);
                    var t = Math.Sign(zeta) == 0 ? 1 : Math.Sign(zeta) / (Math.Abs(zeta) + Math.Sqrt(1 + (zeta * zeta)));
                    var c = 1 / Math.Sqrt(1 + (t * t));
                    var s = c * t;
                    for (var i = 0; i < n; i++)
                    {
                        (columns[p][i], columns[q][i]) = ((c * columns[p][i]) - (s * columns[q][i]), (s * columns[p][i]) + (c * columns[q][i]));
                    }
                }
            }

            if (!rotated)
            {
                break;
            }
        }

        return [.. columns.Select(v => Math.Sqrt(Dot(v, v))).OrderDescending()];
    }

    private static double Dot(double[] a, double[] b)
    {
        var sum = 0.0;
        for (var i = 0; i < a.Length; i++)
        {
            sum += a[i] * b[i];
        }

        return sum;
    }
}
