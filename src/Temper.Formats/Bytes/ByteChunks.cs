using System.Buffers;

namespace Temper.Formats.Bytes;

/// <summary>Walks a source from first byte to last; a chunk is good until the next one.</summary>
public ref struct ByteChunks(ByteSource source, int overlap, CancellationToken cancellation)
{
    private byte[]? _buffer;
    private long _next;

    /// <summary>The chunk that <see cref="MoveNext"/> went to; all but the last have a length that every number's width divides.</summary>
    public ReadOnlySpan<byte> Current { get; private set; }

    /// <summary>This, for foreach.</summary>
    public readonly ByteChunks GetEnumerator() => this;

    /// <summary>Goes to the next chunk; false at the end.</summary>
    public bool MoveNext()
    {
        cancellation.ThrowIfCancellationRequested();
        var length = (int)Math.Min(source.ChunkSize, source.Length - _next);
        if (length == 0)
        {
            return false;
        }

        if (source.IsWhole)
        {
            Current = source.Span(_next, length);
        }
        else
        {
            _buffer ??= ArrayPool<byte>.Shared.Rent(source.ChunkSize);
            source.Read(_next, _buffer.AsSpan(0, length));
            Current = _buffer.AsSpan(0, length);
        }

        _next += length;
        _next -= _next < source.Length ? overlap : 0;
        return true;
    }

    /// <summary>Gives the buffer back.</summary>
    public void Dispose()
    {
        if (_buffer is not null)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = null;
        }
    }
}
