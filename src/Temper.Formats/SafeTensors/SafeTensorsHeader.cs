using System.Text.Json;
using Temper.Core;

namespace Temper.Formats.SafeTensors;

/// <summary>Parses and checks a header: the JSON between the 8-byte length and the data section.</summary>
internal sealed class SafeTensorsHeader(string path, long dataStart, long dataLength)
{
    private readonly List<TensorInfo> tensors = [];
    private readonly HashSet<string> names = new(StringComparer.Ordinal);

    public IReadOnlyList<TensorInfo> Tensors => tensors;

    public Dictionary<string, string> Metadata { get; } = new(StringComparer.Ordinal);

    public void Parse(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json, new() { MaxDepth = 4 });
        try
        {
            Expect(ref reader, JsonTokenType.StartObject, "header", "an object");
            while (Next(ref reader) == JsonTokenType.PropertyName)
            {
                var name = reader.GetString()!;
                if (!names.Add(name))
                {
                    throw Error($"tensor {name}", "a second entry of that name", "one");
                }

                if (name == "__metadata__")
                {
                    ReadMetadata(ref reader);
                }
                else
                {
                    ReadTensor(ref reader, name);
                }
            }

            while (reader.Read())
            {
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            throw new TemperException($"{path}: header: found invalid JSON, expected the table of tensors: {e.Message}", e);
        }

        CheckLayout();
    }

    public TemperException Error(string place, string found, string expected) => new($"{path}: {place}: found {found}, expected {expected}");

    private void ReadMetadata(ref Utf8JsonReader reader)
    {
        Expect(ref reader, JsonTokenType.StartObject, "__metadata__", "an object of strings");
        while (Next(ref reader) == JsonTokenType.PropertyName)
        {
            var key = reader.GetString()!;
            Expect(ref reader, JsonTokenType.String, $"__metadata__.{key}", "a string");
            if (!Metadata.TryAdd(key, reader.GetString()!))
            {
                throw Error($"__metadata__.{key}", "a second entry of that name", "one");
            }
        }
    }

    private void ReadTensor(ref Utf8JsonReader reader, string name)
    {
        var place = $"tensor {name}";
        TensorType? type = null;
        List<long>? shape = null, range = null;
        Expect(ref reader, JsonTokenType.StartObject, place, "an object with dtype, shape and data_offsets");
        while (Next(ref reader) == JsonTokenType.PropertyName)
        {
            switch (reader.GetString())
            {
                case "dtype" when type is null:
                    Expect(ref reader, JsonTokenType.String, $"{place}: dtype", "a string");
                    var dtype = reader.GetString()!;
                    type = TensorTypes.Parse(dtype) ?? throw Error($"{place}: dtype", $"\"{dtype}\"", "a type of the safetensors format");
                    break;
                case "shape" when shape is null:
                    shape = Integers(ref reader, $"{place}: shape", 64);
                    break;
                case "data_offsets" when range is null:
                    range = Integers(ref reader, $"{place}: data_offsets", 2);
                    break;
                case var other:
                    throw Error($"{place}: {other}", "a field", "dtype, shape and data_offsets, once each");
            }
        }

        if (type is null || shape is null || range is not { Count: 2 })
        {
            throw Error(place, "an incomplete entry", "dtype, shape and two data_offsets");
        }

        tensors.Add(Checked(name, place, type.Value, shape, range[0], range[1]));
    }

    private TensorInfo Checked(string name, string place, TensorType type, List<long> shape, long begin, long end)
    {
        Int128 bytes = TensorTypes.Size(type);
        foreach (var side in shape)
        {
            bytes *= side;
            if (bytes > long.MaxValue)
            {
                throw Error($"{place}: shape", $"[{string.Join(", ", shape)}]", "a size that a file can have");
            }
        }

        if (begin > end || end > dataLength)
        {
            throw Error($"{place}: data_offsets", $"[{begin}, {end}]", $"a range inside the data section of {dataLength} bytes");
        }

        if (bytes != end - begin)
        {
            throw Error($"{place}: data_offsets", $"{end - begin} bytes", $"{bytes} for {TensorTypes.Name(type)} [{string.Join(", ", shape)}]");
        }

        return new(name, type, shape, dataStart + begin, end - begin);
    }

    private void CheckLayout()
    {
        var at = dataStart;
        foreach (var tensor in tensors.OrderBy(t => t.Offset).ThenBy(t => t.Length))
        {
            if (tensor.Offset != at)
            {
                throw Error($"tensor {tensor.Name}: data_offsets", $"byte {tensor.Offset - dataStart} of the data section",
                    $"byte {at - dataStart}: tensors may neither overlap nor leave gaps");
            }

            at += tensor.Length;
        }

        if (at != dataStart + dataLength)
        {
            throw Error("data section", $"{dataStart + dataLength - at} bytes after the last tensor", "none");
        }
    }

    private List<long> Integers(ref Utf8JsonReader reader, string place, int most)
    {
        var values = new List<long>();
        Expect(ref reader, JsonTokenType.StartArray, place, "an array of whole numbers");
        while (Next(ref reader) != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out var value) || value < 0 || values.Count == most)
            {
                throw Error(place, reader.TokenType == JsonTokenType.Number ? "a number out of range, or too many" : $"{reader.TokenType}", $"at most {most} whole numbers, none negative");
            }

            values.Add(value);
        }

        return values;
    }

    private void Expect(ref Utf8JsonReader reader, JsonTokenType type, string place, string expected)
    {
        if (Next(ref reader) != type)
        {
            throw Error(place, $"{reader.TokenType}", expected);
        }
    }

    private JsonTokenType Next(ref Utf8JsonReader reader) =>
        reader.Read() ? reader.TokenType : throw Error("header", "its end", "more JSON");
}
