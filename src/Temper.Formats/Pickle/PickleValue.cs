namespace Temper.Formats.Pickle;

internal enum PickleKind : byte
{
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

/// <summary>A value known only by its kind. Text and bytes are kept as a place in the input, so that nothing is copied until a name is needed.</summary>
internal readonly struct PickleValue(PickleKind kind, object? content = null, long number = 0)
{
    public PickleKind Kind { get; } = kind;

    public object? Content { get; } = content;

    public long Number { get; } = number;

    public static PickleValue Slice(PickleKind kind, int offset, int length) => new(kind, null, ((long)offset << 32) | (uint)length);

    public int Offset => (int)(Number >> 32);

    public int Length => (int)(Number & 0xFFFF_FFFF);
}

internal sealed record PickleGlobal(string Module, string Name, bool Resolved);
