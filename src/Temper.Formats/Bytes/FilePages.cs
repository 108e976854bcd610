using Microsoft.Win32.SafeHandles;

namespace Temper.Formats.Bytes;

/// <summary>A file, of which the pages that were read last are kept. A page that is dropped lives on as long as somebody looks at it.</summary>
internal sealed class FilePages : IDisposable
{
    /// <summary>The largest file that is read at once.</summary>
    public const int ReadWhole = 4 << 20;

    /// <summary>Bytes of a page.</summary>
    public const int Size = 1 << 16;

    /// <summary>Bytes to read at a time when all are read: they fit a processor's own cache, so that the copy costs little.</summary>
    public const int LargestChunk = 1 << 18;

    private const int Kept = 16;
    private readonly SafeFileHandle _handle;
    private readonly string _path;
    private readonly DateTime _written;
    private readonly (long Start, byte[] Bytes)[] _pages = new (long, byte[])[Kept];
    private int _last;

    public FilePages(string path, int chunkSize)
    {
        (_path, ChunkSize) = (path, chunkSize);
        _handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        Length = RandomAccess.GetLength(_handle);
        _written = File.GetLastWriteTimeUtc(_handle);
        Array.Fill(_pages, (-1, []));
    }

    public long Length { get; }

    public int ChunkSize { get; }

    public bool HasChanged => RandomAccess.GetLength(_handle) != Length || File.GetLastWriteTimeUtc(_handle) != _written;

    /// <summary>Bytes from a kept page where one page has them all.</summary>
    public ReadOnlySpan<byte> Span(long offset, int length)
    {
        var start = offset / Size * Size;
        var within = (int)(offset - start);
        if (within + length <= Size)
        {
            return Page(start).AsSpan(within, length);
        }

        var bytes = GC.AllocateUninitializedArray<byte>(length);
        Read(offset, bytes);
        return bytes;
    }

    /// <summary>Fills the buffer.</summary>
    public void Read(long offset, Span<byte> buffer)
    {
        if (TryRead(offset, buffer) is var done && done < buffer.Length)
        {
            throw new FileChangedException(_path, offset + done, Length);
        }
    }

    /// <summary>Fills the buffer as far as the file goes, and says how far.</summary>
    public int TryRead(long offset, Span<byte> buffer)
    {
        var done = 0;
        while (done < buffer.Length && RandomAccess.Read(_handle, buffer[done..], offset + done) is > 0 and var count)
        {
            done += count;
        }

        return done;
    }

    public void Dispose() => _handle.Dispose();

    private byte[] Page(long start)
    {
        if (_pages[_last].Start == start)
        {
            return _pages[_last].Bytes;
        }

        var known = Array.FindIndex(_pages, p => p.Start == start);
        if (known < 0)
        {
            var bytes = GC.AllocateUninitializedArray<byte>((int)Math.Min(Size, Length - start));
            Read(start, bytes);
            known = (_last + 1) % Kept;
            _pages[known] = (start, bytes);
        }

        _last = known;
        return _pages[known].Bytes;
    }
}

/// <summary>A file ends before the end that it had when it was opened: somebody else is writing it.</summary>
public sealed class FileChangedException(string path, long end, long length) : IOException($"{path}: found the end at byte {end}, expected {length} bytes as when it was opened");
