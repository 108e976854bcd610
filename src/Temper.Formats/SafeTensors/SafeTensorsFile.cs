using System.Diagnostics.CodeAnalysis;
using System.IO.MemoryMappedFiles;
using Temper.Core;

namespace Temper.Formats.SafeTensors;

/// <summary>A memory-mapped safetensors file whose header has been checked; spans of it end with <see cref="Dispose"/>.</summary>
public sealed unsafe class SafeTensorsFile : IDisposable
{
    private const int ChunkElements = 1 << 20;
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private readonly Dictionary<string, TensorInfo> _byName;
    private byte* _start;

    private SafeTensorsFile(string path, MemoryMappedFile file, MemoryMappedViewAccessor view, long length)
    {
        (Path, _file, _view) = (path, file, view);
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref _start);
        try
        {
            var headerLength = SafeTensorsHeader.ReadLength(path, new(_start, SafeTensorsHeader.PrefixLength), length);
            var header = SafeTensorsHeader.Parse(path, new(_start + SafeTensorsHeader.PrefixLength, headerLength), length);
            (Tensors, Metadata) = (header.Tensors, header.Metadata);
            _byName = header.Tensors.ToDictionary(t => t.Name, StringComparer.Ordinal);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public string Path { get; }

    /// <summary>All tensors in the order of their bytes.</summary>
    public IReadOnlyList<TensorInfo> Tensors { get; }

    public IReadOnlyDictionary<string, string> Metadata { get; }

    public TensorInfo this[string name] => TryGet(name, out var tensor) ? tensor : throw Defect.At(Path, "header", $"no tensor {Defect.Quote(name)}", "one");

    public static SafeTensorsFile Open(string path)
    {
        FileStream? stream = null;
        MemoryMappedFile? file = null;
        try
        {
            stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
            var length = stream.Length;
            if (length < SafeTensorsHeader.PrefixLength)
            {
                throw Defect.At(path, "file", $"{length} bytes", $"at least {SafeTensorsHeader.PrefixLength}");
            }

            file = MemoryMappedFile.CreateFromFile(stream, mapName: null, length, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: false);
            return new(path, file, file.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read), length);
        }
        catch (Exception e)
        {
            file?.Dispose();
            stream?.Dispose();
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
        return t.Length <= int.MaxValue
            ? new(_start + t.Offset, (int)t.Length)
            : throw Defect.At(Path, $"tensor {Defect.Quote(t.Name)}", $"{t.Length} bytes", $"at most {int.MaxValue} for one span");
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
        for (var done = 0; done < destination.Length || done == 0; done += ChunkElements)
        {
            var count = Math.Min(ChunkElements, destination.Length - done);
            if (!FloatConversion.TryWiden(t.Type, new(_start + t.Offset + ((long)done * size), count * size), destination.Slice(done, count)))
            {
                throw Defect.At(Path, $"tensor {Defect.Quote(t.Name)}", $"type {t.Type.FileName()}", "F32, F16, BF16 or F64 to read as floats");
            }
        }
    }

    /// <summary>A copy that outlives the file and can be written again.</summary>
    public TensorData Copy(TensorInfo t) => new(t.Name, t.Type, t.Shape, Bytes(t).ToArray());

    public void Dispose()
    {
        if (_start is not null)
        {
            _start = null;
            _view.SafeMemoryMappedViewHandle.ReleasePointer();
        }

        _view.Dispose();
        _file.Dispose();
    }

    // Offsets are only trusted from this file's own checked header.
    private void RequireOwn(TensorInfo t)
    {
        ObjectDisposedException.ThrowIf(_start is null, this);
        if (!TryGet(t.Name, out var own) || !ReferenceEquals(own, t))
        {
            throw Defect.At(Path, $"tensor {Defect.Quote(t.Name)}", "an entry of another file", "one of this file's tensors");
        }
    }
}
