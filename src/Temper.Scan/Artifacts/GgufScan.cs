using System.Buffers.Binary;
using Temper.Formats.Gguf;
using Temper.Formats.SafeTensors;
using Temper.Scan.Rules;
using Temper.Scan.Templates;

namespace Temper.Scan.Artifacts;

/// <summary>GGUF: its structure, its chat templates and its vocabulary.</summary>
internal static class GgufScan
{
    private const int ControlToken = 3;
    private const string Template = "tokenizer.chat_template";

    public static void Read(Draft draft, Artifact artifact)
    {
        if (!GgufReader.Recognize(artifact.Head))
        {
            return;
        }

        draft.Format("gguf");
        var file = GgufReader.Read(artifact.Bytes, artifact.Cancellation);
        foreach (var defect in file.Defects)
        {
            var rule = defect.Expected == "UTF-8" ? TensorCards.GgufText : TensorCards.Gguf;
            draft.AddAt(rule, defect.Offset, $"In {defect.Place}: found {defect.Found}, expected {defect.Expected}.", defect.Place);
            draft.Incomplete();
        }

        var templates = file.Values.Where(v => v.Type == GgufType.String && v.Key.StartsWith(Template, StringComparison.Ordinal)).ToArray();
        foreach (var template in templates)
        {
            TemplateScan.Judge(draft, template.Text, $"{draft.Path}#{template.Key}");
        }

        if (templates.Length > 1)
        {
            draft.Add(TensorCards.GgufTemplates, $"There are {templates.Length} chat templates: {string.Join(", ", templates.Select(t => t.Key))}.");
        }

        if (templates.Length > 0 && file["split.no"] is { Integer: > 0 } split)
        {
            draft.Add(TensorCards.GgufTemplates.At($"{draft.Path}#split.no", $"Shard {split.Integer + 1} of a split file carries a chat template; only the first one should.", severity: Severity.Medium));
        }

        Vocabulary(draft, artifact, file);
        if (file.Defects.Count == 0)
        {
            // Quantized types have no bits of their own to hide in and no place for NaN but their scales, which are not looked at.
            TensorStatistics.Judge(draft, artifact, [.. file.Tensors.Select(t => new InspectedTensor(
                t.Name, t.Type switch { 0 => "F32", 1 => "F16", 30 => "BF16", _ => "" }, [.. t.Shape], file.DataStart + t.DataOffset, t.Length ?? 0))]);
        }
    }

    private static void Vocabulary(Draft draft, Artifact artifact, GgufFile file)
    {
        if (file["tokenizer.ggml.tokens"] is not { } tokens)
        {
            return;
        }

        foreach (var key in (string[])["tokenizer.ggml.scores", "tokenizer.ggml.token_type"])
        {
            if (file[key] is { } other && other.Count != tokens.Count)
            {
                draft.AddAt(TensorCards.GgufVocabulary, other.Offset, $"{key} has {other.Count} items, the vocabulary {tokens.Count}.", key);
            }
        }

        foreach (var key in (string[])["bos", "eos", "unknown", "padding", "eot", "eom"])
        {
            if (file[$"tokenizer.ggml.{key}_token_id"] is { Type: GgufType.UInt32 } id && id.Integer != uint.MaxValue && id.Integer >= tokens.Count)
            {
                draft.AddAt(TensorCards.GgufVocabulary, id.Offset, $"The {key} token is {id.Integer}, beyond the vocabulary of {tokens.Count}.");
            }
        }

        // A control token that is an ordinary one can be written by users, and one that users write can be swallowed.
        if (file["tokenizer.ggml.token_type"] is { ItemType: GgufType.Int32 } types && file["tokenizer.ggml.eos_token_id"] is { } eos && eos.Integer >= 0 && eos.Integer < types.Count
            && types.Offset + (4 * (eos.Integer + 1)) <= artifact.Bytes.Length
            && BinaryPrimitives.ReadInt32LittleEndian(artifact.Bytes.Span(types.Offset + (4 * eos.Integer), 4)) is var type && type == 6)
        {
            draft.AddAt(TensorCards.GgufVocabulary, types.Offset + (4 * eos.Integer), $"The end-of-text token {eos.Integer} has type {type}, expected {ControlToken} (control).");
        }
    }
}
