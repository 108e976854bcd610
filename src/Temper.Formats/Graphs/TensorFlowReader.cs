using Temper.Formats.Bytes;
using Temper.Formats.Protobuf;

namespace Temper.Formats.Graphs;

/// <summary>Reads saved_model.pb, frozen graphs, meta graphs and keras_metadata.pb: which operations they hold, and what leads to them.</summary>
public ref struct TensorFlowReader
{
    private const int MaxNodes = 500_000;
    private const int MaxKept = 10_000;
    private const int MaxPeek = 1000;
    private const int MaxJson = 16 << 20;
    private readonly ByteSource _file;
    private readonly CancellationToken _cancellation;
    private readonly List<TensorFlowOperator> _operators = [];
    private readonly List<(string, long)> _assets = [];
    private readonly List<(string, long)> _keras = [];
    private int _nodes;
    private string? _error;

    private TensorFlowReader(ByteSource file, CancellationToken cancellation)
    {
        _file = file;
        _cancellation = cancellation;
    }

    /// <summary>Which of TensorFlow's files this is; null for none.</summary>
    public static string? Recognize(ByteSource source)
    {
        var fields = new ProtoReader(source, ProtoReader.All(source));
        for (var i = 0; i < MaxPeek && fields.Next(); i++)
        {
            var field = fields.Field;
            var format = field.Is(2) && Has(source, field, 2, IsGraph) ? "tensorflow-saved-model"
                : field.Is(2) && IsGraph(source, field) ? "tensorflow-meta-graph"
                : field.Is(1) && IsKeras(source, field) ? "keras-metadata"
                : (field.Is(1) && IsNode(source, field)) || (field.Is(2) && IsLibrary(source, field)) ? "tensorflow-graph"
                : null;
            if (format is not null)
            {
                return format;
            }
        }

        return null;
    }

    /// <summary>All that matters of a file that was recognized as <paramref name="format"/>.</summary>
    public static TensorFlowGraph Read(ByteSource source, string format, CancellationToken cancellation)
    {
        var reader = new TensorFlowReader(source, cancellation);
        var all = ProtoReader.All(source);
        var fields = new ProtoReader(reader._file, all);
        switch (format)
        {
            case "tensorflow-graph":
                reader.Graph(all, []);
                break;
            case "tensorflow-meta-graph":
                reader.Meta(all);
                break;
            default:
                while (fields.Next())
                {
                    if (format == "keras-metadata" && fields.Field.Is(1))
                    {
                        reader.Keras(fields.Field, 5);
                    }
                    else if (fields.Field.Is(2))
                    {
                        reader.Meta(fields.Field);
                    }
                }

                break;
        }

        return new(format)
        {
            Operators = reader._operators, Assets = reader._assets, Keras = reader._keras,
            Error = reader._error ?? fields.Error ?? (source.Length > int.MaxValue ? $"found {source.Length} bytes, expected at most {int.MaxValue}, as in every protobuf file" : null),
        };
    }

    private delegate bool Test(ByteSource file, ProtoField field);

    private static bool Has(ByteSource file, ProtoField within, int number, Test test)
    {
        var fields = new ProtoReader(file, within);
        for (var i = 0; i < MaxPeek && fields.Next(); i++)
        {
            if (fields.Field.Is(number) && test(file, fields.Field))
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsGraph(ByteSource file, ProtoField field) => Has(file, field, 1, IsNode) || Has(file, field, 2, IsLibrary);

    private static bool IsLibrary(ByteSource file, ProtoField field) =>
        Has(file, field, 1, (f, function) => Has(f, function, 1, (g, signature) => Has(g, signature, 1, IsText)) && Has(f, function, 3, IsNode));

    private static bool IsNode(ByteSource file, ProtoField field) =>
        Has(file, field, 1, IsText) && Has(file, field, 2, (f, op) => IsText(f, op) && f.Span(op.Start, 1)[0] is (>= (byte)'A' and <= (byte)'Z') or (byte)'_');

    private static bool IsKeras(ByteSource file, ProtoField field) => Has(file, field, 4, (f, id) => ProtoReader.Bytes(f, id, 10).StartsWith("_tf_keras_"u8));

    private static bool IsText(ByteSource file, ProtoField field) =>
        field.Length is > 0 and < 10_000 && ProtoReader.Bytes(file, field, 10_000).IndexOfAnyExceptInRange((byte)' ', (byte)'~') < 0;

    private void Meta(ProtoField within)
    {
        var saver = new List<string>();
        var graphs = new List<ProtoField>();
        var fields = new ProtoReader(_file, within);
        while (fields.Next())
        {
            switch (fields.Field)
            {
                case { Number: 2, Wire: ProtoWire.Bytes } graph:
                    graphs.Add(graph);
                    break;
                case { Number: 3, Wire: ProtoWire.Bytes } definition:
                    saver.AddRange([Text(definition, 2), Text(definition, 3)]);
                    break;
                case { Number: 6, Wire: ProtoWire.Bytes } asset when _assets.Count < MaxKept:
                    _assets.Add((Text(asset, 2), asset.Start));
                    break;
                case { Number: 7, Wire: ProtoWire.Bytes } objects:
                    Objects(objects);
                    break;
            }
        }

        _error ??= fields.Error;
        foreach (var graph in graphs)
        {
            Graph(graph, saver);
        }
    }

    // Up to TensorFlow 2.4 Keras wrote its layers among the objects of the model, then into keras_metadata.pb.
    private void Objects(ProtoField within)
    {
        var objects = new ProtoReader(_file, within);
        while (objects.Next())
        {
            var kinds = new ProtoReader(_file, objects.Field);
            while (objects.Field.Is(1) && kinds.Next())
            {
                if (kinds.Field.Is(4))
                {
                    Keras(kinds.Field, 3);
                }
            }
        }

        _error ??= objects.Error;
    }

    private void Keras(ProtoField within, int number)
    {
        var fields = new ProtoReader(_file, within);
        while (fields.Next())
        {
            if (!fields.Field.Is(number) || fields.Field.Length == 0)
            {
                continue;
            }

            if (fields.Field.Length > MaxJson || _keras.Count >= MaxKept)
            {
                _error ??= $"at byte {fields.Field.Start}: found too much about layers, expected at most {MaxKept} texts of {MaxJson} bytes";
                return;
            }

            _keras.Add((ProtoReader.Text(_file, fields.Field, MaxJson), fields.Field.Start));
        }
    }

    private void Graph(ProtoField within, List<string> saver)
    {
        var calls = new TensorFlowCalls();
        var fields = new ProtoReader(_file, within);
        while (fields.Next())
        {
            if (fields.Field.Is(1))
            {
                Node(fields.Field, "", calls);
            }
            else if (fields.Field.Is(2))
            {
                Library(fields.Field, calls);
            }
        }

        _error ??= fields.Error;
        _operators.AddRange(calls.Operators(saver));
    }

    private void Library(ProtoField within, TensorFlowCalls calls)
    {
        var functions = new ProtoReader(_file, within);
        while (functions.Next())
        {
            if (!functions.Field.Is(1))
            {
                continue;
            }

            var name = "";
            var parts = new ProtoReader(_file, functions.Field);
            while (parts.Next())
            {
                name = parts.Field.Is(1) ? Text(parts.Field, 1) : name;
            }

            parts = new ProtoReader(_file, functions.Field);
            while (parts.Next())
            {
                if (parts.Field.Is(3))
                {
                    // A function without a name can be called by none; it is told from the graph all the same.
                    Node(parts.Field, name.Length == 0 ? "(unnamed)" : name, calls);
                }
            }

            _error ??= parts.Error;
        }

        _error ??= functions.Error;
    }

    private void Node(ProtoField within, string function, TensorFlowCalls calls)
    {
        _cancellation.ThrowIfCancellationRequested();
        if (++_nodes > MaxNodes)
        {
            _error ??= $"found more than {MaxNodes} nodes, expected fewer";
            return;
        }

        var (name, op, output) = ("", "", "");
        var leads = new List<string>();
        var fields = new ProtoReader(_file, within);
        while (fields.Next())
        {
            switch (fields.Field)
            {
                case { Number: 1, Wire: ProtoWire.Bytes } text:
                    name = ProtoReader.Text(_file, text, 1000);
                    break;
                case { Number: 2, Wire: ProtoWire.Bytes } text:
                    op = ProtoReader.Text(_file, text, 1000);
                    break;
                case { Number: 3, Wire: ProtoWire.Bytes } input when function.Length == 0:
                    leads.Add(ProtoReader.Text(_file, input, 1000));
                    break;
                case { Number: 5, Wire: ProtoWire.Bytes } attribute:
                    output = Text(attribute, 1) == "output_stream" ? Text(Part(attribute, 2), 2) : output;
                    Functions(Part(attribute, 2), calls, function, name, 0);
                    break;
            }
        }

        _error ??= fields.Error;
        calls.Add(new(op, name, function, output, within.Start, Saver: false), leads);
    }

    // A value names a function, or is a list of such values.
    private void Functions(ProtoField value, TensorFlowCalls calls, string function, string node, int depth)
    {
        var fields = new ProtoReader(_file, value);
        while (fields.Next())
        {
            if (fields.Field.Is(10) || (depth > 0 && fields.Field.Is(9)))
            {
                calls.Call(function, node, Text(fields.Field, 1));
            }
            else if (depth == 0 && fields.Field.Is(1))
            {
                Functions(fields.Field, calls, function, node, 1);
            }
        }
    }

    private ProtoField Part(ProtoField within, int number)
    {
        var fields = new ProtoReader(_file, within);
        var part = new ProtoField(number, ProtoWire.Bytes, 0, within.End, 0);
        while (fields.Next())
        {
            part = fields.Field.Is(number) ? fields.Field : part;
        }

        return part;
    }

    private string Text(ProtoField within, int number) => ProtoReader.Text(_file, Part(within, number), 1000);
}
