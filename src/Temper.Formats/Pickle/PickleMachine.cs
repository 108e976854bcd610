using System.Buffers.Binary;

namespace Temper.Formats.Pickle;

/// <summary>The pickle virtual machine over symbolic values; stack, marks and memo behave as in CPython's <c>_pickle.c</c>.</summary>
internal ref partial struct PickleMachine
{
    private readonly ReadOnlySpan<byte> _data;
    private readonly PickleBudget _budget;
    private readonly PickleLog _log;
    private readonly CancellationToken _cancellation;
    private readonly bool _followArrays;
    private readonly PickleStack _stack = new();
    private readonly List<int> _marks = [];
    private readonly PickleMemo _memo = new();
    private readonly Dictionary<long, PickleGlobal> _extensions = [];
    private readonly List<PickleDtype> _dtypes = [];
    private readonly List<PickleArrayState> _states = [];
    private PickleEnd? _end;
    private long _frameEnd;
    private int _streamStart;
    private bool _wraps;
    private bool? _aligned;

    public PickleMachine(ReadOnlySpan<byte> data, PickleBudget budget, PickleLog log, CancellationToken cancellation, bool followArrays)
    {
        _data = data;
        _budget = budget;
        _log = log;
        _cancellation = cancellation;
        _followArrays = followArrays;
    }

    public int Position { get; private set; }

    public int OpcodeOffset { get; private set; }

    public long Steps { get; private set; }

    public int Protocol { get; private set; }

    private readonly int Fence => _marks.Count == 0 ? 0 : _marks[^1];

    public PickleEnd ReadStream()
    {
        _stack.Clear();
        _marks.Clear();
        _memo.Clear();
        _dtypes.Clear();
        _states.Clear();
        _end = null;
        _frameEnd = -1;
        _aligned = null;
        Protocol = 0;
        _streamStart = Position;
        while (_end is null)
        {
            OpcodeOffset = Position;
            if (Position >= _data.Length)
            {
                return PickleEnd.Truncated;
            }

            if (++Steps > _budget.Steps || _stack.Count + _marks.Count > _budget.StackDepth || _memo.Count > _budget.MemoSize || _log.IsFull)
            {
                return PickleEnd.Budget;
            }

            if ((Steps & 0xFFFF) == 0)
            {
                _cancellation.ThrowIfCancellationRequested();
            }

            Execute(_data[Position++]);
            CheckFrame();
        }

        return _end.Value;
    }

    private void Fail(PickleEnd? end) => _end ??= end;

    private void CheckFrame()
    {
        if (_frameEnd >= 0 && Position >= _frameEnd)
        {
            if (Position > _frameEnd)
            {
                _log.FrameMismatch ??= OpcodeOffset;
            }

            _frameEnd = -1;
        }
        else if (_frameEnd >= 0 && _end == PickleEnd.Stop)
        {
            _log.FrameMismatch ??= OpcodeOffset;
        }
    }

    private void Frame()
    {
        var size = ReadNumber(8);
        if (_end is not null)
        {
            return;
        }

        if (_frameEnd > Position || size < 0 || size > _data.Length - Position)
        {
            _log.FrameMismatch ??= OpcodeOffset;
            _frameEnd = -1;
            return;
        }

        _frameEnd = size == 0 ? -1 : Position + size;
    }

    private void Push(in PickleValue value) => _stack.Add(value);

    private void PushKind(PickleKind kind) => _stack.Add(new(kind));

    private PickleValue Pop()
    {
        if (_stack.Count <= Fence)
        {
            Fail(PickleEnd.Malformed);
            return default;
        }

        return _stack.Pop();
    }

    private PickleValue Peek()
    {
        if (_stack.Count <= Fence)
        {
            Fail(PickleEnd.Malformed);
            return default;
        }

        return _stack.Top();
    }

    private int PopMark()
    {
        if (_marks.Count == 0)
        {
            Fail(PickleEnd.Malformed);
            return _stack.Count;
        }

        var mark = _marks[^1];
        _marks.RemoveAt(_marks.Count - 1);
        return mark;
    }

    private void DropFrom(int index) => _stack.CutTo(Math.Min(index, _stack.Count));

    private void Skip(long count)
    {
        if (count < 0 || count > _data.Length - Position)
        {
            Fail(count < 0 ? PickleEnd.Malformed : PickleEnd.Truncated);
            return;
        }

        Position += (int)count;
    }

    private long ReadNumber(int size)
    {
        var at = Position;
        Skip(size);
        if (_end is not null)
        {
            return 0;
        }

        var bytes = _data.Slice(at, size);
        return size switch
        {
            1 => bytes[0],
            2 => BinaryPrimitives.ReadUInt16LittleEndian(bytes),
            4 => BinaryPrimitives.ReadUInt32LittleEndian(bytes),
            _ => BinaryPrimitives.ReadInt64LittleEndian(bytes),
        };
    }

    private void PushSlice(PickleKind kind, long length)
    {
        var at = Position;
        if (_end is null)
        {
            Skip(length);
        }

        if (_end is null)
        {
            Push(PickleValue.Slice(kind, at, (int)length));
            if (length >= PickleCarriers.Shortest && PickleCarriers.LooksLike(_data.Slice(at, (int)length)) && _log.WantsBlob)
            {
                _log.Blobs.Add(new(at, (int)length, null));
            }
        }
    }

    private ReadOnlySpan<byte> Line()
    {
        var rest = _data[Position..];
        var length = rest.IndexOf((byte)'\n');
        if (length < 0)
        {
            Fail(PickleEnd.Truncated);
            return [];
        }

        Position += length + 1;
        return rest[..length];
    }
}
