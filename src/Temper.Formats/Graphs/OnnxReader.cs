using System.Globalization;
using Temper.Formats.Bytes;
using Temper.Formats.Protobuf;

namespace Temper.Formats.Graphs;

/// <summary>Reads ONNX as far as a loader follows it: nodes, graphs inside attributes, functions, training graphs, and the claims of every tensor.</summary>
public ref struct OnnxReader
{
    private const int MaxDepth = 100; // of messages, as in protobuf's own readers
    private const int MaxKept = 10_000;
    private const int MaxPeek = 1000;
    private const int External = 1;
    private readonly ByteSource _file;
    private readonly CancellationToken _cancellation;
    private readonly Dictionary<(string, string), OnnxOperator> _operators = [];
    private readonly Dictionary<(string, string), OnnxOperator> _functions = [];
    private readonly List<OnnxExternal> _externals = [];
    private readonly List<OnnxDefect> _defects = [];
    private string? _error;

    private OnnxReader(ByteSource file, CancellationToken cancellation)
    {
        _file = file;
        _cancellation = cancellation;
    }

    private enum Message { Model, Graph, Node, Attribute, Tensor, Sparse, Training, Function }

    /// <summary>Whether the file is a message whose field 7 is a graph: all else in a model may be left out, or hidden behind unknown fields.</summary>
    public static bool Recognize(ByteSource source)
    {
        var fields = new ProtoReader(source, ProtoReader.All(source));
        for (var i = 0; i < MaxPeek && fields.Next(); i++)
        {
            if (fields.Field.Is(7) && IsGraph(source, fields.Field))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>All that matters of a model.</summary>
    public static OnnxModel Read(ByteSource source, CancellationToken cancellation)
    {
        var reader = new OnnxReader(source, cancellation);
        reader.Walk(Message.Model, ProtoReader.All(source), 0);
        return new()
        {
            Operators = reader._operators.Values,
            Functions = reader._functions.Values,
            Externals = reader._externals,
            Defects = reader._defects,
            Error = reader._error ?? (source.Length > int.MaxValue ? $"found {source.Length} bytes, expected at most {int.MaxValue}, as in every protobuf file" : null),
        };
    }

    private static bool IsGraph(ByteSource file, ProtoField graph)
    {
        var fields = new ProtoReader(file, graph);
        for (var i = 0; i < MaxPeek && fields.Next(); i++)
        {
            var node = fields.Field.Is(1);
            if (!node && !fields.Field.Is(5) && !fields.Field.Is(12))
            {
                continue;
            }

            // A node has an operator's name, an initializer numbers for its dimensions or type, an output a name.
            var parts = new ProtoReader(file, fields.Field);
            while (parts.Next())
            {
                if (node ? parts.Field.Is(4) && IsName(file, parts.Field) : parts.Field.Is(8) || (fields.Field.Number == 12 && parts.Field.Is(1) && IsName(file, parts.Field)))
                {
                    return true;
                }
            }
        }

        return false;
    }

    private static bool IsName(ByteSource file, ProtoField text) =>
        text.Length is > 0 and < 1000 && ProtoReader.Bytes(file, text).IndexOfAnyExceptInRange((byte)'!', (byte)'~') < 0;

    private void Walk(Message message, ProtoField within, int depth)
    {
        if (depth > MaxDepth)
        {
            _error ??= $"at byte {within.Start}: found messages within messages, expected at most {MaxDepth} of them";
            return;
        }

        _cancellation.ThrowIfCancellationRequested();
        var fields = new ProtoReader(_file, within);
        if (message is Message.Node or Message.Function)
        {
            Operator(message, within);
        }
        else if (message == Message.Tensor)
        {
            Tensor(within);
            return;
        }

        while (fields.Next())
        {
            if (fields.Field.Wire == ProtoWire.Bytes && Inside(message, fields.Field.Number) is { } inner)
            {
                Walk(inner, fields.Field, depth + 1);
            }
        }

        _error ??= fields.Error;
    }

    private static Message? Inside(Message message, int field) => (message, field) switch
    {
        (Message.Model, 7) or (Message.Attribute, 6 or 11) or (Message.Training, 1 or 2) => Message.Graph,
        (Message.Model, 20) => Message.Training,
        (Message.Model, 25) => Message.Function,
        (Message.Graph, 1) or (Message.Function, 7) => Message.Node,
        (Message.Node, 5) or (Message.Function, 11) => Message.Attribute,
        (Message.Graph, 5) or (Message.Attribute, 5 or 10) or (Message.Sparse, 1 or 2) => Message.Tensor,
        (Message.Graph, 15) or (Message.Attribute, 22 or 23) => Message.Sparse,
        _ => null,
    };

    private void Operator(Message message, ProtoField within)
    {
        var (nameField, domainField) = message == Message.Node ? (4, 7) : (1, 10);
        var (name, domain) = ("", "");
        var fields = new ProtoReader(_file, within);
        while (fields.Next())
        {
            name = fields.Field.Is(nameField) ? ProtoReader.Text(_file, fields.Field, 200) : name;
            domain = fields.Field.Is(domainField) ? ProtoReader.Text(_file, fields.Field, 200) : domain;
        }

        var known = message == Message.Node ? _operators : _functions;
        if (known.Count < MaxKept)
        {
            known.TryAdd((domain, name), new(domain, name, within.Start));
        }
        else
        {
            _error ??= $"found more than {MaxKept} operators, expected fewer";
        }
    }

    private void Tensor(ProtoField within)
    {
        var (name, type, location, raw) = ("", 0UL, 0UL, -1L);
        UInt128 elements = 1;
        var external = new List<(string Key, string Value)>();
        var fields = new ProtoReader(_file, within);
        while (fields.Next())
        {
            switch (fields.Field)
            {
                case { Number: 1, Wire: ProtoWire.Number } dimension:
                    elements = Times(elements, dimension.Value);
                    break;
                case { Number: 1, Wire: ProtoWire.Bytes } packed:
                    elements = Packed(packed, elements);
                    break;
                case { Number: 2, Wire: ProtoWire.Number } kind:
                    type = kind.Value;
                    break;
                case { Number: 14, Wire: ProtoWire.Number } where:
                    location = where.Value;
                    break;
                case { Number: 8, Wire: ProtoWire.Bytes } text:
                    name = ProtoReader.Text(_file, text, 200);
                    break;
                case { Number: 9, Wire: ProtoWire.Bytes } data:
                    raw = data.Length;
                    break;
                case { Number: 13, Wire: ProtoWire.Bytes } pair when external.Count < 100:
                    external.Add(Pair(pair));
                    break;
            }
        }

        _error ??= fields.Error;
        Size(within.Start, name, type, elements, fields.Error is null ? raw : -1);
        if (location == External || external.Count > 0)
        {
            Outside(within.Start, name, external);
        }
    }

    // More than any memory holds stays more: no product of dimensions wraps around.
    private static UInt128 Times(UInt128 elements, ulong dimension) => elements > ulong.MaxValue ? elements : elements * dimension;

    private UInt128 Packed(ProtoField dimensions, UInt128 elements)
    {
        // Numbers in a row are read as fields without keys: a varint ends where its high bit is clear.
        ulong value = 0;
        var shift = 0;
        foreach (var chunk in _file.Part(dimensions.Start, dimensions.Length).Chunks(_cancellation))
        {
            foreach (var b in chunk)
            {
                value |= shift < 64 ? (ulong)(b & 0x7F) << shift : 0;
                shift += 7;
                if (b < 0x80)
                {
                    elements = Times(elements, value);
                    (value, shift) = (0, 0);
                }
            }
        }

        return elements;
    }

    private void Size(long at, string name, ulong type, UInt128 elements, long raw)
    {
        if (elements > long.MaxValue)
        {
            Defect(at, name, "dimensions that are negative or overflow", "a number of elements below 2^63");
        }
        else if (raw >= 0 && Bits(type) is { } bits && ((elements * (ulong)bits) + 7) / 8 is var expected && expected != (ulong)raw)
        {
            Defect(at, name, $"{raw} bytes of data", $"{expected}, by its dimensions and type");
        }
    }

    private static int? Bits(ulong type) => type switch
    {
        1 or 6 or 12 => 32,
        2 or 3 or 9 or (>= 17 and <= 20) or 24 => 8,
        4 or 5 or 10 or 16 => 16,
        7 or 11 or 13 or 14 => 64,
        15 => 128,
        21 or 22 or 23 => 4,
        25 or 26 => 2,
        _ => null,
    };

    private (string Key, string Value) Pair(ProtoField within)
    {
        var (key, value) = ("", "");
        var fields = new ProtoReader(_file, within);
        while (fields.Next())
        {
            key = fields.Field.Is(1) ? ProtoReader.Text(_file, fields.Field, 200) : key;
            value = fields.Field.Is(2) ? ProtoReader.Text(_file, fields.Field) : value;
        }

        return (key, value);
    }

    private void Outside(long at, string name, List<(string Key, string Value)> external)
    {
        if (_externals.Count >= MaxKept)
        {
            _error ??= $"found more than {MaxKept} tensors in other files, expected fewer";
            return;
        }

        // Of a key that stands twice the last counts, as in onnx.
        string? Of(string key) => external.LastOrDefault(p => p.Key == key).Value;
        long? Number(string key) => Of(key) is not { } text ? null : long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var n) ? n : -1;
        _externals.Add(new(name, Of("location") ?? "", Number("offset") ?? 0, Number("length"),
            [.. external.Select(p => p.Key).Where(k => k is not ("location" or "offset" or "length" or "checksum" or "basepath"))], at));
    }

    private void Defect(long at, string name, string found, string expected)
    {
        if (_defects.Count < MaxKept)
        {
            _defects.Add(new(at, name, found, expected));
        }
    }
}
