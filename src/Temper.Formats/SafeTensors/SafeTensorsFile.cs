using System.Buffers.Binary;
using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;
using Temper.Core;

namespace Temper.Formats.SafeTensors;

/// <summary>A safetensors file, memory-mapped and checked in full when opened; every defect is a <see cref="TemperException"/>.</summary>
public sealed unsafe class SafeTensorsFile : IDisposable
{
    /// <summary>The format's own limit.</summary>
    public const long MaxHeaderLength = 100_000_000;

    private readonly MemoryMappedFile map;
    private readonly MemoryMappedViewAccessor view;
    private readonly byte* start;
    private readonly Dictionary<string, TensorInfo> byName;

    private SafeTensorsFile(string path, MemoryMappedFile map, long length)
    {
        Path = path;
        this.map = map;
        view = map.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read);
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        try
        {
            var headerLength = BinaryPrimitives.ReadUInt64LittleEndian(new(start, 8));
            if (headerLength > MaxHeaderLength || (long)headerLength > length - 8)
            {
                throw new TemperException($"{path}: header length: found {headerLength}, expected at most {Math.Min(MaxHeaderLength, length - 8)}");
            }

            var dataStart = 8 + (long)headerLength;
            var header = new SafeTensorsHeader(path, dataStart, length - dataStart);
            header.Parse(new(start + 8, (int)headerLength));
            Tensors = header.Tensors;
            Metadata = header.Metadata;
            byName = Tensors.ToDictionary(t => t.Name, StringComparer.Ordinal);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public string Path { get; }

    /// <summary>In the order of the header.</summary>
    public IReadOnlyList<TensorInfo> Tensors { get; }

    public IReadOnlyDictionary<string, string> Metadata { get; }

    public static SafeTensorsFile Open(string path)
    {
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            if (stream.Length < 8)
            {
                throw new TemperException($"{path}: found {stream.Length} bytes, expected at least the 8 of the header length");
            }

            var mapped = MemoryMappedFile.CreateFromFile(stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
            return new(path, mapped, stream.Length);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new TemperException($"{path}: expected a safetensors file: {e.Message}", e);
        }
    }

    public bool TryGet(string name, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out TensorInfo? tensor) => byName.TryGetValue(name, out tensor);

    /// <summary>The raw bytes, valid while the file is open.</summary>
    public ReadOnlySpan<byte> Bytes(TensorInfo tensor) => tensor.Length <= int.MaxValue
        ? new(start + tensor.Offset, (int)tensor.Length)
        : throw new TemperException($"{Path}: tensor {tensor.Name}: found {tensor.Length} bytes, expected at most {int.MaxValue} in one piece");

    /// <summary>The values widened to fp32, row-major.</summary>
    public void ReadFloats(TensorInfo tensor, Span<float> destination)
    {
        if (destination.Length != tensor.ElementCount)
        {
            throw new ArgumentException($"found room for {destination.Length} values, expected {tensor.ElementCount}", nameof(destination));
        }

        var bytes = Bytes(tensor);
        switch (tensor.Type)
        {
            case TensorType.F32:
                bytes.CopyTo(MemoryMarshal.AsBytes(destination));
                break;
            case TensorType.F16:
                var half = MemoryMarshal.Cast<byte, Half>(bytes);
                for (var i = 0; i < half.Length; i++)
                {
                    destination[i] = (float)half[i];
                }

                break;
            case TensorType.BF16:
                var brain = MemoryMarshal.Cast<byte, ushort>(bytes);
                for (var i = 0; i < brain.Length; i++)
                {
                    destination[i] = BitConverter.UInt32BitsToSingle((uint)brain[i] << 16);
                }

                break;
            case TensorType.F64:
                var wide = MemoryMarshal.Cast<byte, double>(bytes);
                for (var i = 0; i < wide.Length; i++)
                {
                    destination[i] = (float)wide[i];
                }

                break;
            default:
                throw new TemperException($"{Path}: tensor {tensor.Name}: found {TensorTypes.Name(tensor.Type)}, expected F32, F16, BF16 or F64");
        }
    }

    public void Dispose()
    {
        view.SafeMemoryMappedViewHandle.ReleasePointer();
        view.Dispose();
        map.Dispose();
    }
}
