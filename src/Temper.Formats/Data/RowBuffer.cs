namespace Temper.Formats.Data;

/// <summary>A window over a stream that grows to the longest row allowed and no further.</summary>
internal sealed class RowBuffer(Stream stream, int limit)
{
    private byte[] _data = new byte[1 << 16];
    private int _start;
    private int _end;

    /// <summary>Where the window begins in the stream.</summary>
    public long Offset { get; private set; }

    /// <summary>Whether the stream has nothing beyond the window.</summary>
    public bool IsEnd { get; private set; }

    /// <summary>Whether the window has the longest length allowed.</summary>
    public bool IsFull => _end - _start >= limit;

    public ReadOnlySpan<byte> Span => _data.AsSpan(_start, _end - _start);

    /// <summary>Reads on; false where there is nothing more or no room.</summary>
    public bool Fill()
    {
        if (IsEnd || IsFull)
        {
            return false;
        }

        if (_end == _data.Length)
        {
            if (_start > _data.Length / 2)
            {
                Span.CopyTo(_data);
            }
            else
            {
                var larger = new byte[Math.Min(_data.Length * 2L, limit + (1L << 16))];
                Span.CopyTo(larger);
                _data = larger;
            }

            (_start, _end) = (0, _end - _start);
        }

        var count = stream.Read(_data, _end, _data.Length - _end);
        _end += count;
        IsEnd = count == 0;
        return count > 0;
    }

    /// <summary>Moves the window's begin.</summary>
    public void Skip(int count)
    {
        _start += count;
        Offset += count;
        if (_start == _end)
        {
            _start = _end = 0;
        }
    }
}
