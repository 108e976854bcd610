using Temper.Formats.Containers;
using Temper.Formats.Graphs;
using Temper.Scan.Rules;

namespace Temper.Scan.Artifacts;

/// <summary>ONNX: a graph of operators, safe as long as its weights lie in its folder and every operator is one that runtimes have.</summary>
internal static class OnnxScan
{
    // Domains that onnx, onnxruntime and PyTorch's exporters bring along.
    private static readonly HashSet<string> Domains = new(StringComparer.Ordinal)
    {
        "", "ai.onnx", "ai.onnx.ml", "ai.onnx.training", "ai.onnx.preview", "ai.onnx.preview.training", "com.microsoft", "com.microsoft.nchwc", "com.microsoft.experimental",
        "com.microsoft.extensions", "com.ms.internal.nhwc", "ai.onnx.contrib", "org.pytorch.aten", "org.pytorch._caffe2", "com.nvidia",
    };

    public static void Read(Draft draft, Artifact artifact)
    {
        if (!OnnxReader.Recognize(artifact.Bytes))
        {
            return;
        }

        draft.Format("onnx");
        var model = OnnxReader.Read(artifact.Bytes, artifact.Cancellation);
        if (model.Error is { } error)
        {
            draft.Incomplete(GraphCards.Broken, "The model could not be read to its end.", error);
        }

        foreach (var defect in model.Defects)
        {
            draft.AddAt(GraphCards.Tensor, defect.Offset, $"The tensor '{defect.Place}' has {defect.Found}, expected {defect.Expected}.", defect.Place);
        }

        Operators(draft, model);
        foreach (var external in model.Externals)
        {
            External(draft, external);
        }
    }

    private static void Operators(Draft draft, OnnxModel model)
    {
        var defined = model.Functions.Select(f => (f.Domain, f.Name)).ToHashSet();
        foreach (var op in model.Functions.Where(f => f.Domain is "" or "ai.onnx" or "ai.onnx.ml"))
        {
            draft.AddAt(GraphCards.Override, op.Offset, $"The file defines the standard operator {op.Name} itself.", op.Name);
        }

        foreach (var op in model.Operators)
        {
            if (op.Name is "PyOp" or "PyCustomOp" or "PythonOp" or "PythonOpGrad")
            {
                draft.AddAt(GraphCards.Python, op.Offset, $"The operator {Full(op)} calls Python.", Full(op));
            }
        }

        var foreign = model.Operators.Where(o => !Domains.Contains(o.Domain) && !defined.Contains((o.Domain, o.Name)));
        foreach (var domain in foreign.GroupBy(o => o.Domain, StringComparer.Ordinal))
        {
            draft.AddAt(GraphCards.Custom, domain.First().Offset, $"Operators of the domain '{domain.Key}': {string.Join(", ", domain.Take(5).Select(o => o.Name))}.", domain.Key);
        }
    }

    private static void External(Draft draft, OnnxExternal external)
    {
        if (external.OtherKeys.Count > 0)
        {
            draft.AddAt(GraphCards.ExternalData, external.Offset, $"The data of '{external.Tensor}' has unknown keys: {string.Join(", ", external.OtherKeys.Take(5))}.", external.Tensor);
        }

        if (external.DataOffset < 0 || external.Length < 0 || external.Location.Length == 0)
        {
            draft.AddAt(GraphCards.ExternalData, external.Offset, $"The data of '{external.Tensor}' has a place, offset or length that is none.", external.Location);
        }

        if (ArchiveNames.Escapes(external.Location) || external.Location.Contains("://", StringComparison.Ordinal))
        {
            draft.AddAt(GraphCards.External, external.Offset, $"The data of '{external.Tensor}' lies in '{external.Location}'.", external.Location);
        }
        else if (external.Location.Length > 0)
        {
            Beside(draft, external);
        }
    }

    // Only lengths are asked for: the file itself is scanned as one of the folder.
    private static void Beside(Draft draft, OnnxExternal external)
    {
        if (draft.Depth > 0)
        {
            return;
        }

        var path = Path.Combine(Path.GetDirectoryName(draft.Path) ?? "", external.Location);
        var file = new FileInfo(path);
        if (!file.Exists)
        {
            draft.AddAt(GraphCards.ExternalMissing, external.Offset, $"The data of '{external.Tensor}' should lie in '{external.Location}', which is not here.", external.Location);
        }
        else if (file.LinkTarget is { } target)
        {
            draft.AddAt(GraphCards.External, external.Offset, $"The data of '{external.Tensor}' lies in '{external.Location}', which is a link.", target, Severity.Medium);
        }
        else if (external.DataOffset > file.Length || (external.Length ?? 0) > file.Length - external.DataOffset)
        {
            draft.AddAt(GraphCards.ExternalData, external.Offset,
                $"The data of '{external.Tensor}' is {external.Length} bytes at {external.DataOffset} of '{external.Location}', which has {file.Length}.", external.Location);
        }
    }

    private static string Full(OnnxOperator op) => op.Domain.Length == 0 ? op.Name : $"{op.Domain}::{op.Name}";
}
