using System.Buffers.Binary;
using System.Text.Json;
using Temper.Core;

namespace Temper.Formats.SafeTensors;

/// <summary>The checked header of a file: tensors by offset, which cover the data section without gap or overlap.</summary>
internal sealed record SafeTensorsHeader(IReadOnlyList<TensorInfo> Tensors, IReadOnlyDictionary<string, string> Metadata)
{
    public const int PrefixLength = 8;
    public const int MaxLength = 100_000_000;
    public const string MetadataKey = "__metadata__";

    // Bounds what a header of short entries can make us allocate; torch itself stops at 64 dimensions.
    private const int MaxTensors = 1_000_000;
    private const int MaxRank = 64;

    /// <summary>The header's length, from the first eight bytes and the length of the file.</summary>
    public static int ReadLength(string path, ReadOnlySpan<byte> prefix, long fileLength)
    {
        var length = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (length > MaxLength)
        {
            throw Defect.At(path, "header length", $"{length} bytes", $"at most {MaxLength}");
        }

        if ((long)length > fileLength - PrefixLength)
        {
            throw Defect.At(path, "header length", $"{length} bytes", $"at most the {fileLength - PrefixLength} that follow in the file");
        }

        return (int)length;
    }

    public static SafeTensorsHeader Parse(string path, ReadOnlySpan<byte> json, long fileLength)
    {
        if (json.IsEmpty || json[0] != (byte)'{')
        {
            throw Defect.At(path, "header", json.IsEmpty ? "no bytes" : $"first byte 0x{json[0]:x2}", "a JSON object that starts with '{'");
        }

        var dataStart = PrefixLength + (long)json.Length;
        var reader = new StrictJson(path, json, maxDepth: 3);
        var tensors = new List<TensorInfo>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        IReadOnlyDictionary<string, string> metadata = new OrderedDictionary<string, string>();
        reader.Expect(JsonTokenType.StartObject, "header", "a JSON object");
        while (reader.NextProperty("header", out var name))
        {
            if (!names.Add(name))
            {
                throw Defect.At(path, "header", $"the key {Defect.Quote(name)} twice", "each key once");
            }

            if (name == MetadataKey)
            {
                metadata = ReadMetadata(path, ref reader);
                continue;
            }

            if (tensors.Count == MaxTensors)
            {
                throw Defect.At(path, "header", $"more than {MaxTensors} tensors", $"at most {MaxTensors}");
            }

            tensors.Add(ReadTensor(path, name, ref reader, dataStart, fileLength - dataStart));
        }

        reader.End("header");
        TensorInfo[] ordered = [.. tensors.OrderBy(t => t.Offset).ThenBy(t => t.Length)];
        RequireCover(path, ordered, dataStart, fileLength);
        return new(ordered, metadata);
    }

    private static OrderedDictionary<string, string> ReadMetadata(string path, ref StrictJson reader)
    {
        var metadata = new OrderedDictionary<string, string>();
        reader.Expect(JsonTokenType.StartObject, MetadataKey, "an object of strings");
        while (reader.NextProperty(MetadataKey, out var key))
        {
            if (!metadata.TryAdd(key, reader.String($"{MetadataKey} {Defect.Quote(key)}", "a string")))
            {
                throw Defect.At(path, MetadataKey, $"the key {Defect.Quote(key)} twice", "each key once");
            }
        }

        return metadata;
    }

    private static TensorInfo ReadTensor(string path, string name, ref StrictJson reader, long dataStart, long dataLength)
    {
        var place = $"tensor {Defect.Quote(name)}";
        TensorType? type = null;
        List<long>? shape = null;
        List<long>? offsets = null;
        reader.Expect(JsonTokenType.StartObject, place, "an object with dtype, shape and data_offsets");
        while (reader.NextProperty(place, out var field))
        {
            var at = $"{place}, field {Defect.Quote(field)}";
            switch (field)
            {
                case "dtype" when type is null:
                    var dtype = reader.String(at, "the name of an element type");
                    type = TensorTypes.Parse(dtype) ?? throw Defect.At(path, at, Defect.Quote(dtype), "a known element type such as 'F32' or 'BF16'");
                    break;
                case "shape" when shape is null:
                    shape = ReadIntegers(path, at, ref reader, MaxRank);
                    break;
                case "data_offsets" when offsets is null:
                    offsets = ReadIntegers(path, at, ref reader, 2);
                    break;
                default:
                    throw Defect.At(path, place, $"the field {Defect.Quote(field)}", "dtype, shape and data_offsets, each once");
            }
        }

        if (type is null || shape is null || offsets is null)
        {
            var missing = type is null ? "dtype" : shape is null ? "shape" : "data_offsets";
            throw Defect.At(path, place, $"no field '{missing}'", "dtype, shape and data_offsets");
        }

        var offsetsAt = $"{place}, field 'data_offsets'";
        if (offsets.Count != 2 || offsets[0] > offsets[1] || offsets[1] > dataLength)
        {
            throw Defect.At(path, offsetsAt, $"[{string.Join(", ", offsets)}]", $"[begin, end] with begin <= end <= {dataLength}, the length of the data section");
        }

        var expected = type.Value.ByteCount(shape)
            ?? throw Defect.At(path, $"{place}, field 'shape'", $"[{string.Join(", ", shape)}]", "a size in bytes that fits 64 bits");
        var length = offsets[1] - offsets[0];
        return length == expected
            ? new(name, type.Value, shape.AsReadOnly(), dataStart + offsets[0], length)
            : throw Defect.At(path, offsetsAt, $"{length} bytes", $"{expected} for {type.Value.FileName()} [{string.Join(", ", shape)}]");
    }

    private static List<long> ReadIntegers(string path, string place, ref StrictJson reader, int maxCount)
    {
        var values = new List<long>();
        reader.Expect(JsonTokenType.StartArray, place, "an array of integers");
        for (reader.Next(place); reader.Token != JsonTokenType.EndArray; reader.Next(place))
        {
            if (values.Count == maxCount)
            {
                throw Defect.At(path, place, $"more than {maxCount} numbers", $"at most {maxCount}");
            }

            values.Add(reader.Integer(place));
        }

        return values;
    }

    private static void RequireCover(string path, ReadOnlySpan<TensorInfo> ordered, long dataStart, long fileLength)
    {
        var end = dataStart;
        foreach (var tensor in ordered)
        {
            if (tensor.Offset != end)
            {
                var fault = tensor.Offset < end ? "an overlap with the tensor before it" : $"a gap of {tensor.Offset - end} bytes before it";
                throw Defect.At(path, $"tensor {Defect.Quote(tensor.Name)}, field 'data_offsets'", $"begin {tensor.Offset - dataStart}, {fault}", $"begin {end - dataStart}");
            }

            end += tensor.Length;
        }

        if (end != fileLength)
        {
            throw Defect.At(path, "data section", $"{fileLength - end} bytes after the last tensor", "none");
        }
    }
}
