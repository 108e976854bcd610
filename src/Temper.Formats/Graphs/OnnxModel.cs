namespace Temper.Formats.Graphs;

/// <summary>An operator where it is first used: by a node, or defined by a function of the file.</summary>
public sealed record OnnxOperator(string Domain, string Name, long Offset);

/// <summary>Weights that lie in another file; <paramref name="OtherKeys"/> are those that the format does not know.</summary>
public sealed record OnnxExternal(string Tensor, string Location, long DataOffset, long? Length, IReadOnlyList<string> OtherKeys, long Offset);

/// <summary>What is not as the format demands, at a byte of the file.</summary>
public sealed record OnnxDefect(long Offset, string Place, string Found, string Expected);

/// <summary>What of an ONNX file concerns its safety; <see cref="Error"/> says where reading ended early.</summary>
public sealed record OnnxModel
{
    /// <summary>The operators in use, each once.</summary>
    public IReadOnlyCollection<OnnxOperator> Operators { get; init; } = [];

    /// <summary>The operators that the file defines itself.</summary>
    public IReadOnlyCollection<OnnxOperator> Functions { get; init; } = [];

    /// <summary>The tensors outside the file.</summary>
    public IReadOnlyList<OnnxExternal> Externals { get; init; } = [];

    /// <summary>Tensors that are not what they say.</summary>
    public IReadOnlyList<OnnxDefect> Defects { get; init; } = [];

    /// <summary>Why not everything was read; null where it was.</summary>
    public string? Error { get; init; }
}
