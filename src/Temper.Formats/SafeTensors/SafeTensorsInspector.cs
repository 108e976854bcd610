using System.Buffers.Binary;
using System.Text.Json;
using Temper.Formats.Bytes;

namespace Temper.Formats.SafeTensors;

/// <summary>A place of a header that is not what the format demands.</summary>
public sealed record HeaderDefect(string Place, string Found, string Expected, bool Fatal);

/// <summary>One tensor as the header tells it; offsets count from the start of the file.</summary>
public sealed record InspectedTensor(string Name, string Type, long[] Shape, long Offset, long Length);

/// <summary>All that a header says, true or not.</summary>
public sealed record SafeTensorsInspection(
    IReadOnlyList<InspectedTensor> Tensors, IReadOnlyList<KeyValuePair<string, string>> Metadata, IReadOnlyList<HeaderDefect> Defects, long DataStart);

/// <summary>Reads a header to its end and lists every defect, where the strict reader stops at the first; knows element types that Temper cannot compute with.</summary>
public static class SafeTensorsInspector
{
    private const int MaxDefects = 50;
    private const int MaxTensors = 4_000_000;
    private const int Prefix = 8;

    /// <summary>Whether the bytes begin as a safetensors file: a length that a header can have, then JSON.</summary>
    public static bool Recognize(ByteSource source)
    {
        var head = source.Head(Prefix + 16);
        if (head.Length < Prefix + 2)
        {
            return false;
        }

        // A length beyond the limit is still meant as a header where its JSON follows.
        var rest = head[Prefix..].TrimStart(" \t\r\n"u8);
        return rest.StartsWith("{\""u8) || (rest.StartsWith("{"u8) && BinaryPrimitives.ReadUInt64LittleEndian(head) <= SafeTensorsHeader.MaxLength);
    }

    /// <summary>The header with all its defects.</summary>
    public static SafeTensorsInspection Inspect(ByteSource source, CancellationToken cancellation)
    {
        var reading = new Reading(source.Length, cancellation);
        var length = BinaryPrimitives.ReadUInt64LittleEndian(source.Span(0, Prefix));
        if (length > SafeTensorsHeader.MaxLength || (long)length > source.Length - Prefix)
        {
            reading.Fail("header length", $"{length} bytes", $"at most {Math.Min(SafeTensorsHeader.MaxLength, source.Length - Prefix)}");
            return reading.Result(Prefix);
        }

        var json = source.Span(Prefix, (int)length);
        reading.DataStart = Prefix + (long)length;
        if (json.IsEmpty || json[0] != '{')
        {
            reading.Note("header", json.IsEmpty ? "no bytes" : $"first byte 0x{json[0]:x2}", "'{', as the format demands though some readers skip white space");
        }

        try
        {
            reading.Header(json);
        }
        catch (JsonException e)
        {
            reading.Fail("header", $"broken JSON at byte {e.BytePositionInLine}", "a JSON object");
        }
        catch (InvalidOperationException)
        {
            reading.Fail("header", "text that is no valid Unicode or a value of another kind", "UTF-8 and the kinds of the format");
        }

        return reading.Result(reading.DataStart);
    }

    private sealed class Reading(long fileLength, CancellationToken cancellation)
    {
        private readonly List<InspectedTensor> _tensors = [];
        private readonly List<KeyValuePair<string, string>> _metadata = [];
        private readonly List<HeaderDefect> _defects = [];
        private bool _whole;

        public long DataStart { get; set; }

        public void Fail(string place, string found, string expected) => Add(new(place, found, expected, Fatal: true));

        public void Note(string place, string found, string expected) => Add(new(place, found, expected, Fatal: false));

        public void Header(ReadOnlySpan<byte> json)
        {
            var reader = new Utf8JsonReader(json.TrimEnd((byte)0), new JsonReaderOptions { MaxDepth = 64 });
            var names = new HashSet<string>(StringComparer.Ordinal);
            reader.Read();
            if (reader.TokenType != JsonTokenType.StartObject)
            {
                Fail("header", reader.TokenType.ToString(), "an object");
                return;
            }

            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                cancellation.ThrowIfCancellationRequested();
                var name = reader.GetString()!;
                if (!names.Add(name))
                {
                    Fail($"key {Defect.Quote(name)}", "the key a second time, of which some readers take the first and some the last", "each key once");
                }

                reader.Read();
                if (name == SafeTensorsHeader.MetadataKey)
                {
                    Metadata(ref reader);
                }
                else if (_tensors.Count >= MaxTensors)
                {
                    Fail("header", $"more than {MaxTensors} tensors", "fewer");
                    return;
                }
                else
                {
                    Tensor(name, ref reader);
                }
            }

            while (reader.Read())
            {
                Fail("header", "more after the object", "its end");
            }

            _whole = true;
        }

        public SafeTensorsInspection Result(long dataStart)
        {
            if (_whole)
            {
                Cover();
            }

            return new(_tensors, _metadata, _defects, dataStart);
        }

        private void Add(HeaderDefect defect)
        {
            if (_defects.Count < MaxDefects)
            {
                _defects.Add(defect);
            }
        }

        private void Metadata(ref Utf8JsonReader reader)
        {
            if (reader.TokenType != JsonTokenType.StartObject)
            {
                Fail(SafeTensorsHeader.MetadataKey, reader.TokenType.ToString(), "an object of strings");
                reader.Skip();
                return;
            }

            var keys = new HashSet<string>(StringComparer.Ordinal);
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var key = reader.GetString()!;
                if (!keys.Add(key))
                {
                    Fail($"{SafeTensorsHeader.MetadataKey} {Defect.Quote(key)}", "the key a second time", "each key once");
                }

                reader.Read();
                if (reader.TokenType == JsonTokenType.String)
                {
                    _metadata.Add(new(key, reader.GetString()!));
                }
                else
                {
                    Fail($"{SafeTensorsHeader.MetadataKey} {Defect.Quote(key)}", reader.TokenType.ToString(), "a string");
                    reader.Skip();
                }
            }
        }

        private void Tensor(string name, ref Utf8JsonReader reader)
        {
            if (reader.TokenType != JsonTokenType.StartObject)
            {
                Fail(Place(name), reader.TokenType.ToString(), "an object with dtype, shape and data_offsets");
                reader.Skip();
                return;
            }

            string? type = null;
            long[]? shape = null;
            long[]? offsets = null;
            var twice = false;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var field = reader.GetString()!;
                reader.Read();
                switch (field)
                {
                    case "dtype" when reader.TokenType == JsonTokenType.String:
                        twice |= type is not null;
                        type = reader.GetString();
                        break;
                    case "shape":
                        twice |= shape is not null;
                        shape = Integers(ref reader);
                        break;
                    case "data_offsets":
                        twice |= offsets is not null;
                        offsets = Integers(ref reader);
                        break;
                    default:
                        Fail(Place(name), $"the field {Defect.Quote(field)}, which readers ignore", "dtype, shape and data_offsets");
                        reader.Skip();
                        break;
                }
            }

            if (twice)
            {
                Fail(Place(name), "a field twice", "each once");
            }

            Judge(name, type, shape, offsets);
        }

        private void Judge(string name, string? type, long[]? shape, long[]? offsets)
        {
            if (type is null || shape is null || offsets is not [var begin, var end] || begin < 0 || end < begin)
            {
                Fail(Place(name), "fields that are missing or no non-negative integers", "dtype, shape and data_offsets [begin, end] with begin <= end");
                return;
            }

            var bits = Bits(type);
            if (bits == 0)
            {
                Fail(Place(name), $"the element type {Defect.Quote(type)}", "one of the format");
            }

            Int128 size = bits;
            foreach (var dimension in shape)
            {
                size = dimension < 0 || size > long.MaxValue ? -1 : size * dimension;
            }

            if (size < 0 || size > long.MaxValue || (bits > 0 && (size % 8 != 0 || size / 8 != end - begin)))
            {
                Fail(Place(name), $"{end - begin} bytes", $"what {type} [{string.Join(", ", shape.Take(8))}] takes");
            }

            _tensors.Add(new(name, type, shape, DataStart + begin, end - begin));
        }

        private static string Place(string name) => $"tensor {Defect.Quote(name)}";

        private void Cover()
        {
            var at = DataStart;
            foreach (var tensor in _tensors.OrderBy(t => t.Offset).ThenBy(t => t.Length))
            {
                if (tensor.Offset != at)
                {
                    Fail($"tensor {Defect.Quote(tensor.Name)}", tensor.Offset < at ? "an overlap with the tensor before it" : $"a hole of {tensor.Offset - at} bytes before it",
                        $"begin {at - DataStart}");
                }

                at = tensor.Length > long.MaxValue - tensor.Offset ? long.MaxValue : Math.Max(at, tensor.Offset + tensor.Length);
            }

            if (at != fileLength)
            {
                Fail("data section", at < fileLength ? $"{fileLength - at} bytes after the last tensor" : "a tensor that ends after the file", $"an end at byte {fileLength}");
            }
        }

        private static long[]? Integers(ref Utf8JsonReader reader)
        {
            if (reader.TokenType != JsonTokenType.StartArray)
            {
                reader.Skip();
                return null;
            }

            var values = new List<long>(4);
            var good = true;
            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            {
                good &= reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out var value) && value >= 0 && values.Count < 64 && AddTo(values, value);
                reader.Skip();
            }

            return good ? [.. values] : null;
        }

        private static bool AddTo(List<long> values, long value)
        {
            values.Add(value);
            return true;
        }

        private static int Bits(string type) => type switch
        {
            "F4" => 4,
            "F6_E2M3" or "F6_E3M2" => 6,
            "BOOL" or "U8" or "I8" or "F8_E4M3" or "F8_E5M2" or "F8_E8M0" or "F8_E4M3FNUZ" or "F8_E5M2FNUZ" => 8,
            "U16" or "I16" or "F16" or "BF16" => 16,
            "U32" or "I32" or "F32" => 32,
            "U64" or "I64" or "F64" or "C64" => 64,
            _ => 0,
        };
    }
}
