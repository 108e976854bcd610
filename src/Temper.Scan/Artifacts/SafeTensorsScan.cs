using System.Text;
using Temper.Formats.Pickle;
using Temper.Formats.SafeTensors;
using Temper.Scan.Rules;

namespace Temper.Scan.Artifacts;

/// <summary>A safetensors file holds numbers only: with its structure in order there is nothing in it that a loader could run.</summary>
internal static class SafeTensorsScan
{
    public static void Read(Draft draft, Artifact artifact)
    {
        if (!SafeTensorsInspector.Recognize(artifact.Bytes))
        {
            return;
        }

        draft.Format("safetensors");
        var inspection = SafeTensorsInspector.Inspect(artifact.Bytes, artifact.Cancellation);
        foreach (var defect in inspection.Defects)
        {
            draft.Add(TensorCards.SafeTensors.At($"{draft.Path}#{defect.Place}", $"Found {defect.Found}, expected {defect.Expected}.", defect.Place));
            if (defect.Fatal)
            {
                draft.Incomplete();
            }
        }

        if (inspection.Defects.Count == 0)
        {
            TensorStatistics.Judge(draft, artifact, inspection.Tensors);
        }

        foreach (var (key, value) in inspection.Metadata)
        {
            if (Payload(value) is { } what)
            {
                draft.Add(TensorCards.Metadata.At($"{draft.Path}#__metadata__.{key}", $"The value holds {what}.", value));
            }
        }
    }

    private static string? Payload(string value)
    {
        if (value.Length < 8)
        {
            return null;
        }

        if (value.Contains("<script", StringComparison.OrdinalIgnoreCase) || value.Contains("<iframe", StringComparison.OrdinalIgnoreCase)
            || value.Contains("javascript:", StringComparison.OrdinalIgnoreCase) || value.Contains("onerror=", StringComparison.OrdinalIgnoreCase))
        {
            return "HTML that runs in a browser";
        }

        var bytes = Encoding.UTF8.GetBytes(value);
        return PickleCarriers.LooksLike(bytes) && PickleCarriers.Decode(bytes) is [0x80 or 0x1f or (byte)'P' or 0x78 or (byte)'B', ..] decoded && decoded.Length != bytes.Length
            ? "an encoded pickle, archive or compressed stream"
            : null;
    }
}
