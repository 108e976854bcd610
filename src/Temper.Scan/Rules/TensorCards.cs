namespace Temper.Scan.Rules;

/// <summary>The rules about safetensors and GGUF files.</summary>
internal static class TensorCards
{
    public static readonly Rule SafeTensors = new("safetensors.structure", Severity.Medium, "The table of tensors does not describe the file",
        "The header is not what the format demands: lengths, offsets, shapes or names cannot be true, or bytes stand outside every tensor. Readers disagree about such a file.",
        "Do not load; get the file again from its author.", "CWE-20");

    public static readonly Rule Metadata = new("safetensors.metadata", Severity.Medium, "Metadata that carries a payload",
        "A value of __metadata__ is itself a pickle, a compressed stream or HTML.", "Do not use the metadata; ask the author what it is.", "CWE-502");

    public static readonly Rule Statistics = new("weights.statistics", Severity.Info, "Tensors with odd values",
        "Constant tensors, tensors whose norm is far from those of their kind in other layers, and tensors whose low bits are empty in some places and random in others, found while streaming over the values.", "A few are common; many mean damage, an edit by hand, or numbers of two origins.", "AML.T0018");

    public static readonly Rule NotFinite = new("weights.not-finite", Severity.Low, "Tensors with NaN or infinity",
        "The model cannot work with these values: the file is damaged or was tampered with.", "Get the file again from its author.", "AML.T0018");

    public static readonly Rule LowBits = new("weights.low-bits", Severity.Medium, "The low bits of a tensor hold a file or text",
        "The least significant bits of the mantissa spell the beginning of an executable, archive or pickle, or bytes of text: weights used as a hiding place.", "Do not load; report the file.", "AML.T0018.002");

    public static readonly Rule Gguf = new("gguf.structure", Severity.Medium, "A GGUF file that its header does not describe",
        "Counts, lengths, types, dimensions or offsets cannot be true. Loaders have turned such files into memory corruption (CVE-2025-53630, CVE-2026-27940, CVE-2026-7482).",
        "Do not load; get the file again from its author.", "CWE-20", "CWE-787");

    public static readonly Rule GgufText = new("gguf.text", Severity.Medium, "Text of a GGUF file is no UTF-8 or was replaced",
        "Strings hold invalid or replacement characters, as after a text-mode copy of the binary file.", "Get the file again from its author.", "CWE-20");

    public static readonly Rule GgufVocabulary = new("gguf.vocabulary", Severity.Medium, "The vocabulary of a GGUF file does not fit itself",
        "Tokens, scores and types differ in number, or a control token is an ordinary one.", "Do not load; get the file again from its author.", "CWE-20", "AML.T0018");

    public static readonly Rule GgufTemplates = new("gguf.templates", Severity.Low, "A GGUF file with several chat templates",
        "Besides tokenizer.chat_template there are others, which some programs choose by name.", "Read each of them.", "LLM01");

    public static readonly Rule Shards = new("shards.index", Severity.Medium, "The index of shards does not fit the shards",
        "It names files outside the folder or files that are not there, gives a tensor to a shard that does not hold it, or lies about the total size.", "Do not load; get the files again from their author.", "CWE-22", "CWE-20");

    public static readonly Rule[] All =
        [SafeTensors, Metadata, Statistics, NotFinite, LowBits, Gguf, GgufText, GgufVocabulary, GgufTemplates, Shards];
}
