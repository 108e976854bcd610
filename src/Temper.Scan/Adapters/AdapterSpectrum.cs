using System.Globalization;

namespace Temper.Scan.Adapters;

/// <summary>The spectral picture of one adapter; no verdict follows from it without a cohort to compare with.</summary>
/// <param name="Path">The file of the factors.</param>
/// <param name="Base">The base model that the adapter names.</param>
/// <param name="Modules">The updates that could be measured, in the order of layers and names.</param>
/// <param name="NotMeasured">Updates whose factors do not fit, are too large or not finite.</param>
public sealed record AdapterSpectrum(string Path, string Base, IReadOnlyList<ModuleSpectrum> Modules, int NotMeasured)
{
    /// <summary>
    /// Standard deviation over modules of the Frobenius norm per root of the matrix's size, over its mean
    /// (arXiv 2605.30189; deviation: divided by the mean, so that the adapter's scale does not count).
    /// </summary>
    public double Dispersion
    {
        get
        {
            var norms = Modules.Select(m => m.Norm).ToArray();
            var mean = norms.Average();
            return mean > 0 ? Math.Sqrt(norms.Average(n => (n - mean) * (n - mean))) / mean : 0;
        }
    }

    /// <summary>How the adapter stands among known good ones; null where no cohort was given.</summary>
    public CohortScore? Cohort { get; init; }
}

/// <summary>The update of one module, rows by columns of some rank.</summary>
public sealed record ModuleSpectrum(string Module, long Rows, long Columns, int Rank, Spectrum Spectrum)
{
    private int Number => Array.FindIndex(Module.Split('.'), part => int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out _));

    /// <summary>The number in the module's name; 0 where there is none.</summary>
    public int Layer => Number < 0 ? 0 : int.Parse(Module.Split('.')[Number], CultureInfo.InvariantCulture);

    /// <summary>What follows the layer's number, as <c>self_attn.q_proj</c>.</summary>
    public string Kind => string.Join('.', Module.Split('.')[(Number + 1)..]);

    /// <summary>The Frobenius norm per root of the matrix's size: comparable between matrices of different size.</summary>
    public double Norm => Spectrum.Frobenius / Math.Sqrt((double)Rows * Columns);
}
