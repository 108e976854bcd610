namespace Temper.Formats.Pickle;

internal ref partial struct PickleMachine
{
    private void Execute(byte opcode)
    {
        switch (opcode)
        {
            case (byte)'(': _marks.Add(_stack.Count); break;
            case (byte)'.': Pop(); Fail(PickleEnd.Stop); break;
            case (byte)'0': PopOrUnmark(); break;
            case (byte)'1': DropFrom(PopMark()); break;
            case (byte)'2': Push(Peek()); break;
            case (byte)'N' or 0x88 or 0x89: PushKind(PickleKind.Data); break;
            case (byte)'F': _ = Line(); PushKind(PickleKind.Data); break;
            case (byte)'I' or (byte)'L': Push(IntegerLine()); break;
            case (byte)'J': Push(new(PickleKind.Int, null, (int)ReadNumber(4))); break;
            case (byte)'K': Push(new(PickleKind.Int, null, ReadNumber(1))); break;
            case (byte)'M': Push(new(PickleKind.Int, null, ReadNumber(2))); break;
            case (byte)'G': Skip(8); PushKind(PickleKind.Data); break;
            case 0x8a: Long(ReadNumber(1)); break;
            case 0x8b: Long((int)ReadNumber(4)); break;
            case (byte)'S': PushText(QuotedLine()); break;
            case (byte)'V': PushText(EscapedLine()); break;
            case (byte)'T': PushSlice(PickleKind.Text, (int)ReadNumber(4)); break;
            case (byte)'U': PushSlice(PickleKind.Text, ReadNumber(1)); break;
            case (byte)'X': PushSlice(PickleKind.Text, ReadNumber(4)); break;
            case 0x8c: PushSlice(PickleKind.Text, ReadNumber(1)); break;
            case 0x8d: PushSlice(PickleKind.Text, ReadNumber(8)); break;
            case (byte)'B': PushSlice(PickleKind.Bytes, ReadNumber(4)); break;
            case (byte)'C': PushSlice(PickleKind.Bytes, ReadNumber(1)); break;
            case 0x8e or 0x96: PushSlice(PickleKind.Bytes, ReadNumber(8)); break;
            case 0x97: PushKind(PickleKind.Bytes); break;
            case 0x98: _ = Peek(); break;
            case (byte)')': Push(new(PickleKind.Tuple, Array.Empty<PickleValue>())); break;
            case (byte)']' or 0x8f: PushKind(PickleKind.Container); break;
            case (byte)'}': Dict(); break;
            case (byte)'t': Gather(PickleKind.Tuple); break;
            case (byte)'d' when _wraps && _marks.Count > 0 && _marks[^1] == _stack.Count: PopMark(); Dict(); break;
            case (byte)'l' or (byte)'d' or 0x91: Gather(PickleKind.Container); break;
            case 0x85: Tuple(1); break;
            case 0x86: Tuple(2); break;
            case 0x87: Tuple(3); break;
            case (byte)'a': Pop(); Write(Peek()); break;
            case (byte)'s': SetItem(); break;
            case (byte)'u': SetItems(); break;
            case (byte)'e' or 0x90: DropFrom(PopMark()); Write(Peek()); break;
            case (byte)'p': PutLine(); break;
            case (byte)'q': Put(ReadNumber(1)); break;
            case (byte)'r': Put(ReadNumber(4)); break;
            case 0x94: Put(_memo.Count); break;
            case (byte)'g': Get(IntegerLine().Number); break;
            case (byte)'h': Get(ReadNumber(1)); break;
            case (byte)'j': Get(ReadNumber(4)); break;
            case (byte)'P': _ = Line(); PushKind(PickleKind.Persistent); break;
            case (byte)'Q': PersistentId(); break;
            case (byte)'c': Push(GlobalLines()); break;
            case 0x93: StackGlobal(); break;
            case (byte)'i': Instance(); break;
            case (byte)'o': Object(); break;
            case (byte)'R' or 0x81: Reduce(keywords: false); break;
            case 0x92: Reduce(keywords: true); break;
            case (byte)'b': Build(); break;
            case 0x82: Extension(ReadNumber(1)); break;
            case 0x83: Extension(ReadNumber(2)); break;
            case 0x84: Extension((int)ReadNumber(4)); break;
            case 0x80: Proto(); break;
            case 0x95: Frame(); break;
            default: Fail(PickleEnd.InvalidOpcode); break;
        }
    }

    private void Proto()
    {
        var protocol = (int)ReadNumber(1);
        if (protocol > 5)
        {
            Fail(PickleEnd.InvalidOpcode);
            return;
        }

        if (OpcodeOffset != _streamStart)
        {
            _log.ProtocolChange ??= OpcodeOffset;
        }

        Protocol = protocol;
    }

    private void PopOrUnmark()
    {
        if (_marks.Count > 0 && _marks[^1] == _stack.Count)
        {
            _marks.RemoveAt(_marks.Count - 1);
            return;
        }

        Pop();
    }

    private void Long(long length)
    {
        if (_end is not null)
        {
            return;
        }

        var low = Ahead((int)Math.Clamp(length, 0, 8));
        Skip(length);
        if (_end is not null)
        {
            return;
        }

        long value = 0;
        for (var i = 0; i < low.Length; i++)
        {
            value |= (long)low[i] << (8 * i);
        }

        Push(PickleValue.Int(value));
    }

    private void Gather(PickleKind kind)
    {
        var mark = PopMark();
        var value = kind == PickleKind.Tuple ? TupleOf(mark) : new PickleValue(kind);
        DropFrom(mark);
        Push(value);
    }

    private void Tuple(int count)
    {
        if (_stack.Count - Fence < count)
        {
            Fail(PickleEnd.Malformed);
            return;
        }

        var value = TupleOf(_stack.Count - count);
        DropFrom(_stack.Count - count);
        Push(value);
    }

    // Only the first items can matter to a summary, to add_extension, to a dtype or to a shape; keeping more would let tuples of tuples hold the whole input.
    private readonly PickleValue TupleOf(int from)
    {
        var items = _stack.From(from, Math.Min(_stack.Count - from, 9)).ToArray();
        return new(PickleKind.Tuple, items, _stack.Count - from);
    }

    private void PutLine()
    {
        var index = IntegerLine();
        if (index.Number < 0)
        {
            Fail(PickleEnd.Malformed);
            return;
        }

        Put(index.Number);
    }

    private void Put(long index)
    {
        var top = Peek();
        if (_end is null)
        {
            _memo.Put(index, top);
        }
    }

    private void Get(long index)
    {
        if (_end is not null)
        {
            return;
        }

        if (!_memo.TryGet(index, out var value))
        {
            Fail(PickleEnd.Malformed);
            return;
        }

        Push(value);
    }
}
