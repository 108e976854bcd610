using System.Buffers.Binary;
using Temper.Formats.Bytes;

namespace Temper.Formats.Pickle;

/// <summary>The pickle virtual machine over symbolic values; stack, marks and memo behave as in CPython's <c>_pickle.c</c>.</summary>
internal ref partial struct PickleMachine
{
    private readonly ByteSource _source;
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
    private long _streamStart;
    private byte _opcode;
    private ReadOnlySpan<byte> _window;
    private byte[]? _buffer;
    private long _windowStart;
    private int _at;
    private bool _wraps;
    private bool? _aligned;

    public PickleMachine(ByteSource source, PickleBudget budget, PickleLog log, CancellationToken cancellation, bool followArrays)
    {
        _source = source;
        _window = source.IsWhole ? source.Head() : [];
        _budget = budget;
        _log = log;
        _cancellation = cancellation;
        _followArrays = followArrays;
    }

    public long OpcodeOffset { get; private set; }

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
            if (_at >= _window.Length && !Need(1))
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

            _opcode = _window[_at++];
            Execute(_opcode);
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

        if (_frameEnd > Position || size < 0 || size > _source.Length - Position)
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

    private long ReadNumber(int size)
    {
        if (!Need(size))
        {
            Fail(PickleEnd.Truncated);
            return 0;
        }

        var bytes = _window.Slice(_at, size);
        _at += size;
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
        if (_end is not null)
        {
            return;
        }

        var at = Position;
        var carries = length >= PickleCarriers.Shortest && length <= _source.Length - at && PickleCarriers.LooksLike(Ahead((int)Math.Min(length, PickleCarriers.Reach)));
        Skip(length);
        if (_end is null)
        {
            Push(PickleValue.Slice(kind, at, length));
            if (carries && _log.WantsBlob)
            {
                _log.Blobs.Add(new(at, length, null));
            }
        }
    }
}
