namespace Temper.Formats.Pickle;

/// <summary>
/// joblib's arrays: at the BUILD of a NumpyArrayWrapper its loader takes padding and raw numbers, or a pickle of objects, from the file itself.
/// A wrapper whose state is not spelled out ends the reading, because its loader may go on at another byte.
/// </summary>
internal ref partial struct PickleMachine
{
    private const int MostStates = 1 << 20;

    private void Dict()
    {
        if (_wraps && _states.Count < MostStates)
        {
            _states.Add(new());
            Push(new(PickleKind.Container, null, _states.Count));
        }
        else
        {
            PushKind(PickleKind.Container);
        }
    }

    private void SetItem()
    {
        var value = Pop();
        var key = Pop();
        var target = Peek();
        Note(target, key, value);
        Write(target);
    }

    private void SetItems()
    {
        var mark = PopMark();
        for (var i = mark; _wraps && mark > Fence && i + 1 < _stack.Count; i += 2)
        {
            Note(_stack[mark - 1], _stack[i], _stack[i + 1]);
        }

        DropFrom(mark);
        Write(Peek());
    }

    private readonly void Note(in PickleValue target, in PickleValue key, in PickleValue value)
    {
        if (target is { Kind: PickleKind.Container, Number: > 0 })
        {
            _states[(int)target.Number - 1].Set(key.Kind, Text(key), value);
        }
    }

    private PickleValue Dtype(PickleGlobal made, in PickleValue arguments)
    {
        if (_dtypes.Count >= MostStates)
        {
            return new(PickleKind.Result, made);
        }

        _dtypes.Add(new(arguments.Content is PickleValue[] { Length: > 0 } items ? Text(items[0]) : null));
        return new(PickleKind.Result, made, _dtypes.Count);
    }

    private void ReadArray(PickleGlobal made, in PickleValue state)
    {
        if (!made.IsArrayWrapper && made.Guard != ArgumentGuard.Callable)
        {
            return;
        }

        if (!made.IsArrayWrapper || state is not { Kind: PickleKind.Container, Number: > 0 } || _states[(int)state.Number - 1] is not { IsLost: false, Count: >= 0 and var count } known
            || known.Dtype is not { Kind: PickleKind.Result, Number: > 0 and var index } || _dtypes[(int)index - 1] is not { Size: > 0 and var size } dtype
            || (_aligned ??= known.IsAligned) != known.IsAligned)
        {
            Fail(PickleEnd.Malformed);
            return;
        }

        CheckFrame();
        if (_frameEnd >= 0)
        {
            // joblib reads the file, not the frame.
            _log.FrameMismatch ??= OpcodeOffset;
            _frameEnd = -1;
        }

        Pop();
        _log.FirstArray ??= Position;
        if (dtype.HasObjects)
        {
            Objects();
        }
        else
        {
            Skip(known.IsAligned ? ReadNumber(1) : 0);
            Skip(count > long.MaxValue / size ? long.MaxValue : count * size);
        }

        PushKind(PickleKind.Data);
    }

    private void Objects()
    {
        var nested = new PickleMachine(_source, _budget, _log, _cancellation, followArrays: false) { Position = Position, Steps = Steps, _buffer = _buffer };
        var end = nested.ReadStream();
        Steps = nested.Steps;
        if (!_source.IsWhole)
        {
            // Both read into one buffer.
            _buffer = nested._buffer;
            Leave(Position);
        }

        Position = nested.Position;
        if (end != PickleEnd.Stop)
        {
            OpcodeOffset = nested.OpcodeOffset;
            Fail(end);
        }
    }
}
