using Temper.Core;
using Temper.Formats.Json;
using Temper.Scan.Folders;

namespace Temper.Scan.Adapters;

/// <summary>
/// Known good adapters, and how far another one lies from them. Every adapter, the new one included, is compared with all others by z-scores of its
/// features; the largest is its score. If the new one were as good as the rest, each rank of its score would be equally likely (a conformal test),
/// so the share of scores at least as large bounds the rate of false alarms without a model of the distribution.
/// </summary>
public sealed class AdapterCohort(IReadOnlyList<AdapterSpectrum> members)
{
    private const double MostFalseAlarms = 0.05;
    private const double LeastScore = 3;
    private const double LargestScore = 999;
    internal const int LeastForScore = 5;
    internal const int LeastForVerdict = 19;

    private static readonly (string Name, Func<AdapterSpectrum, double> Value)[] Features =
    [
        ("dispersion", a => a.Dispersion),
        ("leading singular value", a => a.Modules.Average(m => Log(m.Spectrum.Leading))),
        ("Frobenius norm", a => a.Modules.Average(m => Log(m.Norm))),
        ("energy share", a => a.Modules.Average(m => m.Spectrum.EnergyShare)),
        ("entropy", a => a.Modules.Average(m => m.Spectrum.Entropy)),
        ("kurtosis", a => a.Modules.Average(m => m.Spectrum.Kurtosis)),
    ];

    /// <summary>The adapters under a folder, or those of a JSON report on one.</summary>
    public static AdapterCohort Read(string path, CancellationToken cancellation)
    {
        var members = Directory.Exists(path)
            ? Directory.EnumerateDirectories(path, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Prepend(path).SelectMany(f => AdapterSpectra.Read(ModelFolder.Open(f), cancellation)).ToArray()
            : FromReport(path);
        return members.Length > 0 ? new(members) : throw new TemperException($"--cohort {path}: found no adapter, expected a folder of known good ones or a JSON report on it");
    }

    /// <summary>The score of an adapter among the members with the same base and the same modules, itself left out.</summary>
    public CohortScore Score(AdapterSpectrum adapter)
    {
        var alike = members.Where(m => IsAlike(m, adapter) && !m.Modules.SequenceEqual(adapter.Modules)).ToArray();
        if (alike.Length < LeastForScore)
        {
            return new(alike.Length, members.Count, [], null, null, null);
        }

        // row 0 is the adapter
        var values = alike.Prepend(adapter).Select(a => Array.ConvertAll(Features, f => f.Value(a))).ToArray();
        var deviations = values.Select((_, i) => Deviations(values, i)).ToArray();
        var scores = deviations.Select(z => z.Max(Math.Abs)).ToArray();
        var p = scores.Count(s => s >= scores[0]) / (double)scores.Length;
        bool? outlier = alike.Length < LeastForVerdict ? null : p <= MostFalseAlarms && scores[0] > LeastScore;
        return new(alike.Length, members.Count, [.. Features.Zip(deviations[0], (f, z) => new FeatureDeviation(f.Name, z))], scores[0], p, outlier);
    }

    private static bool IsAlike(AdapterSpectrum a, AdapterSpectrum b) =>
        a.Base == b.Base && a.Modules.Select(m => m.Module).SequenceEqual(b.Modules.Select(m => m.Module), StringComparer.Ordinal);

    // Row i against the mean and the sample deviation of all other rows.
    private static double[] Deviations(double[][] rows, int i) => [.. Enumerable.Range(0, Features.Length).Select(f =>
    {
        var others = rows.Where((_, j) => j != i).Select(r => r[f]).ToArray();
        var mean = others.Average();
        var deviation = Math.Sqrt(others.Sum(v => (v - mean) * (v - mean)) / (others.Length - 1));
        var distance = rows[i][f] - mean;
        return Math.Abs(distance) < 1e-9 ? 0 : Math.Clamp(distance / deviation, -LargestScore, LargestScore);
    })];

    private static double Log(double value) => Math.Log(Math.Max(value, 1e-12));

    private static AdapterSpectrum[] FromReport(string path)
    {
        if (!File.Exists(path))
        {
            throw new TemperException($"--cohort {path}: found neither folder nor file, expected a folder of known good adapters or a JSON report on it");
        }

        try
        {
            return [.. (JsonTreeReader.Read(File.ReadAllBytes(path))["adapters"]?.Items ?? []).Select(a => new AdapterSpectrum(
                a["path"]?.String ?? "", a["base"]?.String ?? "", [.. (a["modules"]?.Items ?? []).Select(Module)], 0)).Where(a => a.Modules.Count > 0)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonTreeException)
        {
            throw new TemperException($"--cohort {path}: {e.Message}; expected a folder of known good adapters or a JSON report on it", e);
        }
    }

    private static ModuleSpectrum Module(JsonTree module)
    {
        double Value(string name) => module[name]?.Number ?? throw new TemperException($"--cohort: found a module without {name} at byte {module.Offset}, expected a report of temper scan --format json");
        return new(module["name"]?.String ?? "", (long)Value("rows"), (long)Value("columns"), (int)Value("rank"),
            new(Value("leadingSingularValue"), Value("frobeniusNorm"), Value("energyShare"), Value("entropy"), Value("kurtosis")));
    }
}
