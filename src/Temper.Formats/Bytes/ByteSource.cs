using System.IO.MemoryMappedFiles;

namespace Temper.Formats.Bytes;

/// <summary>Bytes of a file, a member or a buffer with checked access: small files are read, large ones mapped, so memory stays bounded.</summary>
public sealed unsafe class ByteSource : IDisposable
{
    private const int ReadWhole = 4 << 20;
    private readonly byte[]? _array;
    private readonly long _start;
    private readonly MemoryMappedFile? _file;
    private readonly MemoryMappedViewAccessor? _view;
    private byte* _pointer;

    private ByteSource(byte[]? array, byte* pointer, long start, long length, MemoryMappedFile? file = null, MemoryMappedViewAccessor? view = null)
    {
        _pointer = pointer;
        (_array, _start, Length, _file, _view) = (array, start, length, file, view);
    }

    /// <summary>How many bytes there are.</summary>
    public long Length { get; }

    /// <summary>The bytes of a buffer, not copied.</summary>
    public static ByteSource Of(byte[] data) => new(data, null, 0, data.Length);

    /// <summary>The bytes of a file; pipes and devices have no length and count as empty.</summary>
    public static ByteSource Open(string path)
    {
        // Pipes and devices have no length; opening one could wait for ever.
        if (new FileInfo(path).Length == 0)
        {
            return new([], null, 0, 0);
        }

        using var handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        var length = RandomAccess.GetLength(handle);
        if (length <= ReadWhole)
        {
            var data = GC.AllocateUninitializedArray<byte>((int)length);
            var done = 0;
            while (done < data.Length && RandomAccess.Read(handle, data.AsSpan(done), done) is > 0 and var n)
            {
                done += n;
            }

            return new(data, null, 0, done);
        }

        var file = MemoryMappedFile.CreateFromFile(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 0), null, 0,
            MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: false);
        var view = file.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read);
        byte* pointer = null;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref pointer);
        return new(null, pointer, 0, length, file, view);
    }

    /// <summary>A part, which ends with the whole.</summary>
    public ByteSource Part(long offset, long length)
    {
        Check(offset, length);
        return new(_array, _pointer, _start + offset, length);
    }

    /// <summary>A part as a span.</summary>
    public ReadOnlySpan<byte> Span(long offset, int length)
    {
        Check(offset, length);
        return _array is null ? new(_pointer + _start + offset, length) : _array.AsSpan((int)(_start + offset), length);
    }

    /// <summary>The first bytes, at most <paramref name="most"/>.</summary>
    public ReadOnlySpan<byte> Head(int most = int.MaxValue) => Span(0, (int)Math.Min(most, Length));

    /// <summary>The last bytes, at most <paramref name="most"/>.</summary>
    public ReadOnlySpan<byte> Tail(int most) => Span(Length - Math.Min(most, Length), (int)Math.Min(most, Length));

    /// <summary>The bytes as a read-only stream, which ends with this source.</summary>
    public Stream AsStream() => _array is null
        ? new UnmanagedMemoryStream(_pointer + _start, Length)
        : new MemoryStream(_array, (int)_start, (int)Length, writable: false);

    /// <summary>Frees the file; parts and spans of it must not be used any more.</summary>
    public void Dispose()
    {
        if (_view is not null && _pointer is not null)
        {
            _pointer = null;
            _view.SafeMemoryMappedViewHandle.ReleasePointer();
            _view.Dispose();
            _file!.Dispose();
        }
    }

    private void Check(long offset, long length)
    {
        ObjectDisposedException.ThrowIf(_array is null && _pointer is null, this);
        if (offset < 0 || length < 0 || length > Length - offset)
        {
            throw new ArgumentOutOfRangeException(nameof(offset), $"found {offset}+{length}, expected a range within {Length} bytes");
        }
    }
}
