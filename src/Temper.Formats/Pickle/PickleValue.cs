namespace Temper.Formats.Pickle;

internal enum PickleKind : byte
{
    None,
    Data,
    Int,
    Text,
    Bytes,
    Tuple,
    Container,
    Global,
    Result,
    Persistent,
}

/// <summary>
/// A value known only by its kind, in 16 bytes, since checkpoints put millions into the memo. Text and bytes are kept as a place in the input,
/// so that nothing is copied until a name is needed.
/// </summary>
internal readonly struct PickleValue(PickleKind kind, object? content = null, long number = 0)
{
    private const int KindBits = 4;
    private const int LengthBits = 22;
    private const long Longest = (1L << LengthBits) - 1;
    private const long Largest = (1L << (63 - KindBits)) - 1;
    private readonly long _bits = (number << KindBits) | (long)kind;

    public PickleKind Kind => (PickleKind)(_bits & ((1 << KindBits) - 1));

    public object? Content { get; } = content;

    public long Number => _bits >> KindBits;

    /// <summary>An integer, of which one beyond 2^59 is only known to be that large.</summary>
    public static PickleValue Int(long value) => new(PickleKind.Int, null, Math.Clamp(value, -Largest, Largest));

    /// <summary>A place in the first 2^37 bytes and its length, which from 2^22 on is only known to be that long.</summary>
    public static PickleValue Slice(PickleKind kind, long offset, long length) =>
        new(kind, null, offset > Largest >> LengthBits ? -1 : (offset << LengthBits) | Math.Min(length, Longest));

    public long Offset => Number >> LengthBits;

    public int Length => (int)(Number & Longest);

    public bool IsLong => Length == Longest;
}

/// <summary>Which arguments of a harmless constructor are not harmless.</summary>
internal enum ArgumentGuard : byte
{
    None,

    /// <summary>The second one names a codec: only those of text.</summary>
    Codec,

    /// <summary>A number is a size: none that exhausts memory.</summary>
    Size,

    /// <summary>The first one is called or instantiated: only an import, which is judged by itself.</summary>
    Callable,
}

internal sealed record PickleGlobal(string Module, string Name, bool Resolved)
{
    public const long LargestSize = 1L << 30;

    /// <summary>Whether joblib's loader reads an array from the file when one of these is built.</summary>
    public bool IsArrayWrapper => Name == "NumpyArrayWrapper";

    /// <summary>Whether it makes tensors, which are no containers whatever the opcodes after it say.</summary>
    public bool MakesTensors { get; } = Resolved && Module is "torch._utils" or "torch._tensor" && Name.StartsWith("_rebuild", StringComparison.Ordinal);

    public ArgumentGuard Guard { get; } = !Resolved ? ArgumentGuard.None : (Module, Name) switch
    {
        ("_codecs", "encode") => ArgumentGuard.Codec,
        ("builtins", "bytearray" or "bytes" or "range" or "list" or "tuple" or "set" or "frozenset" or "str") => ArgumentGuard.Size,
        ("collections", "deque") => ArgumentGuard.Size,
        ("copyreg", "_reconstructor" or "__newobj__") or ("collections", "defaultdict") => ArgumentGuard.Callable,
        ("torch._tensor", "_rebuild_from_type_v2") or ("torch._utils", "_rebuild_wrapper_subclass") => ArgumentGuard.Callable,
        _ => ArgumentGuard.None,
    };
}
