using System.Globalization;
using Temper.Core;
using Temper.Formats.Json;
using Temper.Formats.SafeTensors;
using Temper.Scan.Folders;
using Temper.Scan.Rules;

namespace Temper.Scan.Adapters;

/// <summary>Reads the spectra of a folder's adapter and tells them as a finding.</summary>
internal static class AdapterSpectra
{
    private const int LargestRank = 256;
    private const long LargestFactor = 1L << 28;

    /// <summary>What the spectra say; they themselves go to <paramref name="spectra"/>.</summary>
    public static IEnumerable<FolderFinding> Find(ModelFolder folder, AdapterCohort? cohort, List<AdapterSpectrum> spectra, CancellationToken cancellation)
    {
        foreach (var adapter in Read(folder, cancellation).Select(a => a with { Cohort = cohort?.Score(a) }))
        {
            spectra.Add(adapter);
            foreach (var finding in Findings(adapter))
            {
                yield return new(Path.GetFileName(adapter.Path), finding);
            }
        }
    }

    /// <summary>The spectra of the adapters in a folder: PEFT's safetensors, and LoRA in GGUF.</summary>
    public static IEnumerable<AdapterSpectrum> Read(ModelFolder folder, CancellationToken cancellation)
    {
        if (Peft(folder, cancellation) is { } peft)
        {
            yield return peft;
        }

        foreach (var (file, adapter) in GgufAdapter.Of(folder, cancellation))
        {
            if (Of(folder.File(file), adapter.Base, adapter.Pairs, adapter.Read, adapter.ScaleOf, cancellation) is { } spectrum)
            {
                yield return spectrum;
            }
        }
    }

    private static AdapterSpectrum? Peft(ModelFolder folder, CancellationToken cancellation)
    {
        if (!folder.Has(AdapterWeights.File) || folder.Json("adapter_config.json") is not { } config)
        {
            return null;
        }

        try
        {
            using var weights = SafeTensorsFile.Open(folder.File(AdapterWeights.File));
            return Of(weights.Path, config["base_model_name_or_path"]?.String ?? "", AdapterWeights.Pairs(weights), Floats, rank => Scale(config, rank), cancellation);

            float[] Floats(TensorInfo tensor)
            {
                var result = new float[tensor.ElementCount];
                weights.ReadFloats(tensor, result);
                return result;
            }
        }
        catch (TemperException)
        {
            // The report on the file itself says what is wrong with it.
            return null;
        }
    }

    private static AdapterSpectrum? Of(
        string path, string @base, Dictionary<string, LoraPair> pairs, Func<TensorInfo, float[]> read, Func<long, double> scale, CancellationToken cancellation)
    {
        var modules = new List<ModuleSpectrum>();
        foreach (var (module, pair) in pairs)
        {
            cancellation.ThrowIfCancellationRequested();
            if (pair is { A: { Shape.Count: 2 } a, B: { Shape.Count: 2 } b } && a.Shape[0] == b.Shape[1] && a.Shape[0] is > 0 and <= LargestRank && IsMeasurable(a) && IsMeasurable(b)
                && Spectrum.Of(read(a), read(b), (int)a.Shape[0], scale(a.Shape[0])) is { } spectrum)
            {
                modules.Add(new(module, b.Shape[0], a.Shape[1], (int)a.Shape[0], spectrum));
            }
        }

        return modules.Count == 0 ? null : new(path, @base, [.. modules.OrderBy(m => m.Layer).ThenBy(m => m.Module, StringComparer.Ordinal)], pairs.Count - modules.Count);
    }

    private static IEnumerable<Finding> Findings(AdapterSpectrum adapter)
    {
        var all = adapter.Modules;
        var strongest = all.MaxBy(m => m.Spectrum.Frobenius)!;
        yield return AdapterCards.Spectrum.At(adapter.Path, string.Create(CultureInfo.InvariantCulture,
            $"{all.Count} updates; norm {all.Min(m => m.Spectrum.Frobenius):0.###} to {strongest.Spectrum.Frobenius:0.###} (strongest in {strongest.Module}), leading singular value up to {all.Max(m => m.Spectrum.Leading):0.###}, share of energy in one direction {Median(all.Select(m => m.Spectrum.EnergyShare)):0.##} (median), entropy {Median(all.Select(m => m.Spectrum.Entropy)):0.##}, kurtosis {Median(all.Select(m => m.Spectrum.Kurtosis)):0.##}; dispersion of the norms {adapter.Dispersion:0.###}.")
            + (adapter.Cohort is { Outlier: not true } score ? $" {score}" : ""));
        if (adapter.Cohort is { Outlier: true } outlier)
        {
            yield return AdapterCards.Outlier.At(adapter.Path, outlier.ToString(), outlier.Feature);
        }
    }

    private static double Scale(JsonTree config, long rank)
    {
        var alpha = config["lora_alpha"]?.Number ?? rank;
        return alpha / (config["use_rslora"]?.IsTrue == true ? Math.Sqrt(rank) : rank);
    }

    private static bool IsMeasurable(TensorInfo tensor) =>
        tensor.Type is TensorType.F32 or TensorType.F16 or TensorType.BF16 or TensorType.F64 && tensor.ElementCount is > 0 and < LargestFactor;

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted[sorted.Length / 2];
    }
}
