namespace Temper.Formats.Pickle;

/// <summary>The part of the file under the machine: all of it where it is in memory, else a window that moves along.</summary>
internal ref partial struct PickleMachine
{
    private const int LongestLine = 64 << 20;

    public long Position
    {
        readonly get => _windowStart + _at;
        set
        {
            if (value >= _windowStart && value <= _windowStart + _window.Length)
            {
                _at = (int)(value - _windowStart);
            }
            else
            {
                Leave(value);
            }
        }
    }

    private bool Need(int count) => _window.Length - _at >= count || Move(count);

    private bool Move(int count)
    {
        var (position, length) = (Position, (int)Math.Min(_source.ChunkSize, _source.Length - Position));
        if (length < count || _source.IsWhole)
        {
            return false;
        }

        _buffer ??= new byte[_source.ChunkSize];
        _source.Read(position, _buffer.AsSpan(0, length));
        Leave(position);
        _window = _buffer.AsSpan(0, length);
        return true;
    }

    private void Leave(long position)
    {
        _window = [];
        (_windowStart, _at) = (position, 0);
    }

    private ReadOnlySpan<byte> Ahead(int count) => Need(count) ? _window.Slice(_at, count) : [];

    private void Skip(long count)
    {
        if (count < 0 || count > _source.Length - Position)
        {
            Fail(count < 0 ? PickleEnd.Malformed : PickleEnd.Truncated);
            return;
        }

        Position += count;
    }

    private ReadOnlySpan<byte> Line()
    {
        var length = _window[_at..].IndexOf((byte)'\n');
        if (length < 0 && !_source.IsWhole)
        {
            length = Need((int)Math.Min(_source.ChunkSize, _source.Length - Position)) ? _window[_at..].IndexOf((byte)'\n') : -1;
            if (length < 0)
            {
                return LongLine();
            }
        }

        if (length < 0)
        {
            Fail(PickleEnd.Truncated);
            return [];
        }

        var line = _window.Slice(_at, length);
        _at += length + 1;
        return line;
    }

    // Longer than the window: a number or a text that some pickler of protocol 0 wrote.
    private ReadOnlySpan<byte> LongLine()
    {
        var start = Position;
        var end = _source.IndexOf("\n"u8, start, Math.Min(_source.Length, start + LongestLine));
        if (end < 0)
        {
            Fail(_source.Length - start > LongestLine ? PickleEnd.Budget : PickleEnd.Truncated);
            return [];
        }

        Position = end + 1;
        return _source.Span(start, (int)(end - start));
    }
}
