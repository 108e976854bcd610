namespace Temper.Formats.Bytes;

/// <summary>
/// Bytes of a file, a member or a buffer with checked access. Small files are read at once, of large ones only what is asked for, so memory stays bounded.
/// Nothing is mapped: whoever cuts a mapped file short ends every process that reads it, where a read only comes back short.
/// One thread at a time, but for <see cref="Read"/>.
/// </summary>
public sealed class ByteSource : IDisposable
{
    private readonly byte[]? _array;
    private readonly long _start;
    private readonly FilePages? _pages;
    private readonly bool _owns;
    private readonly bool _changed;

    private ByteSource(byte[]? array, FilePages? pages, long start, long length, bool owns = false, bool changed = false) =>
        (_array, _pages, _start, Length, _owns, _changed) = (array, pages, start, length, owns, changed);

    /// <summary>How many bytes there are.</summary>
    public long Length { get; }

    /// <summary>Whether the file is another one by now than when it was opened, as far as its length and its time of writing tell.</summary>
    public bool HasChanged => _changed || _pages?.HasChanged == true;

    /// <summary>Whether all bytes are in memory.</summary>
    internal bool IsWhole => _array is not null;

    /// <summary>How many bytes of a file to read at a time.</summary>
    internal int ChunkSize => _pages?.ChunkSize ?? FilePages.LargestChunk;

    /// <summary>The bytes of a buffer, not copied.</summary>
    public static ByteSource Of(byte[] data) => new(data, null, 0, data.Length);

    /// <summary>The bytes of a file; pipes and devices have no length and count as empty.</summary>
    public static ByteSource Open(string path) => Open(path, FilePages.ReadWhole, FilePages.LargestChunk);

    /// <summary>As <see cref="Open(string)"/>, with the largest file that is read at once and the largest chunk of one that is not.</summary>
    internal static ByteSource Open(string path, int whole, int chunk)
    {
        // Pipes and devices have no length; opening one could wait for ever.
        if (new FileInfo(path).Length == 0)
        {
            return Of([]);
        }

        var pages = new FilePages(path, chunk);
        if (pages.Length > whole)
        {
            return new(null, pages, 0, pages.Length, owns: true);
        }

        using (pages)
        {
            var data = GC.AllocateUninitializedArray<byte>((int)pages.Length);
            var count = pages.TryRead(0, data);
            return new(data, null, 0, count, changed: count < data.Length || pages.HasChanged);
        }
    }

    /// <summary>A part, which ends with the whole.</summary>
    public ByteSource Part(long offset, long length)
    {
        Check(offset, length);
        return new(_array, _pages, _start + offset, length);
    }

    /// <summary>A part as a span, which stays good: of a large file it is a copy, so keep it short.</summary>
    public ReadOnlySpan<byte> Span(long offset, int length)
    {
        Check(offset, length);
        return _array is null ? _pages!.Span(_start + offset, length) : _array.AsSpan((int)(_start + offset), length);
    }

    /// <summary>Fills the buffer with the bytes from a place on.</summary>
    public void Read(long offset, Span<byte> buffer)
    {
        Check(offset, buffer.Length);
        if (_array is null)
        {
            _pages!.Read(_start + offset, buffer);
        }
        else
        {
            _array.AsSpan((int)(_start + offset), buffer.Length).CopyTo(buffer);
        }
    }

    /// <summary>The first bytes, at most <paramref name="most"/>.</summary>
    public ReadOnlySpan<byte> Head(int most = int.MaxValue) => Span(0, (int)Math.Min(most, Length));

    /// <summary>The last bytes, at most <paramref name="most"/>.</summary>
    public ReadOnlySpan<byte> Tail(int most) => Span(Length - Math.Min(most, Length), (int)Math.Min(most, Length));

    /// <summary>A walk over all bytes from first to last, a chunk at a time; each begins with the last <paramref name="overlap"/> bytes of the one before.</summary>
    public ByteChunks Chunks(CancellationToken cancellation, int overlap = 0) => new(this, overlap, cancellation);

    /// <summary>Where the pattern first stands between two places; -1 where it does not.</summary>
    public long IndexOf(ReadOnlySpan<byte> pattern, long from, long to)
    {
        var at = from;
        foreach (var chunk in Part(from, to - from).Chunks(CancellationToken.None, pattern.Length - 1))
        {
            if (chunk.IndexOf(pattern) is >= 0 and var found)
            {
                return at + found;
            }

            at += chunk.Length - (pattern.Length - 1);
        }

        return -1;
    }

    /// <summary>The bytes as a read-only stream, which ends with this source.</summary>
    public Stream AsStream() => _array is null ? new BufferedStream(new ByteSourceStream(this), FilePages.Size) : new MemoryStream(_array, (int)_start, (int)Length, writable: false);

    /// <summary>Closes the file; parts of it must not be used any more.</summary>
    public void Dispose()
    {
        if (_owns)
        {
            _pages!.Dispose();
        }
    }

    private void Check(long offset, long length)
    {
        if (offset < 0 || length < 0 || length > Length - offset)
        {
            throw new ArgumentOutOfRangeException(nameof(offset), $"found {offset}+{length}, expected a range within {Length} bytes");
        }
    }
}
