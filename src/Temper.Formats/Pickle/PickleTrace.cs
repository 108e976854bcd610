namespace Temper.Formats.Pickle;

/// <summary>What a loader would do at one place of a pickle.</summary>
public enum PickleEventKind
{
    /// <summary>A name is looked up in a module.</summary>
    Import,

    /// <summary>A callable is called.</summary>
    Call,

    /// <summary>State is given to an object (<c>BUILD</c>).</summary>
    Build,

    /// <summary>An item or attribute is written on an imported object.</summary>
    Write,
}

/// <summary>How reading a stream ended.</summary>
public enum PickleEnd
{
    /// <summary>At <c>STOP</c>.</summary>
    Stop,

    /// <summary>The data ended inside the stream.</summary>
    Truncated,

    /// <summary>A byte that is no opcode, or a protocol above 5.</summary>
    InvalidOpcode,

    /// <summary>An opcode whose operands a loader would refuse.</summary>
    Malformed,

    /// <summary>A limit of <see cref="PickleBudget"/> was reached.</summary>
    Budget,
}

/// <summary>
/// One event; <paramref name="Resolved"/> is false where the name or callable is computed by the pickle itself.
/// <paramref name="Opcode"/> is the one that did it; <paramref name="Oddity"/> says what is wrong with the arguments of a callable that is harmless with ordinary ones.
/// </summary>
public sealed record PickleEvent(PickleEventKind Kind, string Module, string Name, long Offset, string Arguments, bool Resolved, string? Oddity = null, byte Opcode = 0)
{
    /// <summary>Module and name joined by a dot.</summary>
    public string FullName => Module.Length == 0 ? Name : $"{Module}.{Name}";
}

/// <summary>A string of the pickle that looks like a file of its own; <paramref name="Text"/> holds it where it was written escaped.</summary>
public sealed record PickleBlob(long Offset, long Length, string? Text);

/// <summary>A storage that a torch pickle expects beside itself: the class and key it names, and how many items it promises.</summary>
public sealed record PickleStorage(string Type, string Key, long Count);

/// <summary>Limits; reaching one ends the reading as <see cref="PickleEnd.Budget"/>.</summary>
public sealed record PickleBudget
{
    /// <summary>Opcodes over all streams.</summary>
    public long Steps { get; init; } = 50_000_000;

    /// <summary>Values on the stack, marks included.</summary>
    public int StackDepth { get; init; } = 2_000_000;

    /// <summary>Entries of the memo.</summary>
    public int MemoSize { get; init; } = 4_000_000;

    /// <summary>Bytes of a name or line that are decoded.</summary>
    public int NameBytes { get; init; } = 65_536;

    /// <summary>Events kept.</summary>
    public int Events { get; init; } = 100_000;

    /// <summary>Concatenated streams read.</summary>
    public int Streams { get; init; } = 10_000;

    /// <summary>Embedded files noted.</summary>
    public int Blobs { get; init; } = 64;
}

/// <summary>All that a file of one or more pickles would do, as far as it could be read.</summary>
public sealed record PickleTrace(
    IReadOnlyList<PickleEvent> Events, PickleEnd End, long EndOffset, int Streams, long Steps, int Protocol, long? FrameMismatch, long? TrailingOffset)
{
    /// <summary>Strings that look like files of their own.</summary>
    public IReadOnlyList<PickleBlob> Blobs { get; init; } = [];

    /// <summary>The storages that persistent ids name.</summary>
    public IReadOnlyList<PickleStorage> Storages { get; init; } = [];

    /// <summary>Where the protocol changes inside a stream.</summary>
    public long? ProtocolChange { get; init; }

    /// <summary>Where the first array of joblib lies between opcodes.</summary>
    public long? FirstArray { get; init; }
}
