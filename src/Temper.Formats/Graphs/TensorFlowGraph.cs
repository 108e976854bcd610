namespace Temper.Formats.Graphs;

/// <summary>
/// An operation where it first stands in the graph or in one of its functions (<paramref name="Function"/> is empty for the graph).
/// <paramref name="Saver"/>: only what saves and restores the variables, with a path that the caller gives, leads to it.
/// </summary>
public sealed record TensorFlowOperator(string Name, string Node, string Function, string Output, long Offset, bool Saver);

/// <summary>What of a TensorFlow protobuf file concerns its safety; <see cref="Error"/> says where reading ended early.</summary>
public sealed record TensorFlowGraph(string Format)
{
    /// <summary>The operations, each once per function.</summary>
    public IReadOnlyList<TensorFlowOperator> Operators { get; init; } = [];

    /// <summary>The files beside the model that it names.</summary>
    public IReadOnlyList<(string Name, long Offset)> Assets { get; init; } = [];

    /// <summary>What Keras wrote about its layers, as JSON.</summary>
    public IReadOnlyList<(string Json, long Offset)> Keras { get; init; } = [];

    /// <summary>Why not everything was read; null where it was.</summary>
    public string? Error { get; init; }
}
