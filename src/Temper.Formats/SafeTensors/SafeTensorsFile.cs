using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using Temper.Core;
using Temper.Formats.Bytes;

namespace Temper.Formats.SafeTensors;

/// <summary>A safetensors file whose header has been checked; tensors are read when asked for.</summary>
public sealed class SafeTensorsFile : IDisposable
{
    private const int ChunkElements = 1 << 17;
    private readonly ByteSource _source;
    private readonly Dictionary<string, TensorInfo> _byName;
    private bool _disposed;

    private SafeTensorsFile(string path, ByteSource source)
    {
        (Path, _source) = (path, source);
        var headerLength = SafeTensorsHeader.ReadLength(path, source.Head(SafeTensorsHeader.PrefixLength), source.Length);
        var header = SafeTensorsHeader.Parse(path, source.Span(SafeTensorsHeader.PrefixLength, headerLength), source.Length);
        (Tensors, Metadata) = (header.Tensors, header.Metadata);
        _byName = header.Tensors.ToDictionary(t => t.Name, StringComparer.Ordinal);
    }

    public string Path { get; }

    /// <summary>All tensors in the order of their bytes.</summary>
    public IReadOnlyList<TensorInfo> Tensors { get; }

    public IReadOnlyDictionary<string, string> Metadata { get; }

    public TensorInfo this[string name] => TryGet(name, out var tensor) ? tensor : throw Defect.At(Path, "header", $"no tensor {Defect.Quote(name)}", "one");

    public static SafeTensorsFile Open(string path)
    {
        ByteSource? source = null;
        try
        {
            source = ByteSource.Open(path);
            return source.Length < SafeTensorsHeader.PrefixLength
                ? throw Defect.At(path, "file", $"{source.Length} bytes", $"at least {SafeTensorsHeader.PrefixLength}")
                : new(path, source);
        }
        catch (Exception e)
        {
            source?.Dispose();
            if (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
            {
                throw Defect.Unreadable(path, e);
            }

            throw;
        }
    }

    public bool TryGet(string name, [NotNullWhen(true)] out TensorInfo? tensor) => _byName.TryGetValue(name, out tensor);

    /// <summary>The raw bytes of a tensor of up to 2 GiB; larger ones are read with <see cref="ReadFloats"/>.</summary>
    public ReadOnlySpan<byte> Bytes(TensorInfo t)
    {
        RequireOwn(t);
        return t.Length <= Array.MaxLength
            ? _source.Span(t.Offset, (int)t.Length)
            : throw Defect.At(Path, $"tensor {Defect.Quote(t.Name)}", $"{t.Length} bytes", $"at most {Array.MaxLength} for one span");
    }

    /// <summary>Reads F32, F16, BF16 or F64 elements into exactly as many floats.</summary>
    public void ReadFloats(TensorInfo t, Span<float> destination)
    {
        RequireOwn(t);
        if (destination.Length != t.ElementCount)
        {
            throw Defect.At(Path, $"tensor {Defect.Quote(t.Name)}", $"a destination of {destination.Length} floats", $"{t.ElementCount}");
        }

        var size = t.Type.Size();
        var bytes = ArrayPool<byte>.Shared.Rent(ChunkElements * size);
        try
        {
            for (var done = 0; done < destination.Length || done == 0; done += ChunkElements)
            {
                var count = Math.Min(ChunkElements, destination.Length - done);
                Read(t, (long)done * size, bytes.AsSpan(0, count * size));
                if (!FloatConversion.TryWiden(t.Type, bytes.AsSpan(0, count * size), destination.Slice(done, count)))
                {
                    throw Defect.At(Path, $"tensor {Defect.Quote(t.Name)}", $"type {t.Type.FileName()}", "F32, F16, BF16 or F64 to read as floats");
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    /// <summary>A copy that outlives the file and can be written again.</summary>
    public TensorData Copy(TensorInfo t) => new(t.Name, t.Type, t.Shape, Bytes(t).ToArray());

    public void Dispose()
    {
        _disposed = true;
        _source.Dispose();
    }

    private void Read(TensorInfo t, long offset, Span<byte> bytes)
    {
        try
        {
            _source.Read(t.Offset + offset, bytes);
        }
        catch (IOException e)
        {
            throw Defect.Unreadable(Path, e);
        }
    }

    // Offsets are only trusted from this file's own checked header.
    private void RequireOwn(TensorInfo t)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (!TryGet(t.Name, out var own) || !ReferenceEquals(own, t))
        {
            throw Defect.At(Path, $"tensor {Defect.Quote(t.Name)}", "an entry of another file", "one of this file's tensors");
        }
    }
}
