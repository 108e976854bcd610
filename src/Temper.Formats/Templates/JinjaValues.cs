using System.Globalization;
using System.Text;
using Temper.Formats.Json;

namespace Temper.Formats.Templates;

/// <summary>What a name means that nobody set.</summary>
internal sealed record JinjaUndefined(string Name);

/// <summary>namespace(): the one thing that a template may change.</summary>
internal sealed class JinjaNamespace(Dictionary<string, object?> values)
{
    public Dictionary<string, object?> Values => values;
}

/// <summary>A dictionary of a template, in the order in which its keys were given.</summary>
internal sealed class JinjaDict(IEnumerable<KeyValuePair<string, object?>> items)
{
    private readonly Dictionary<string, object?> _byKey = Index(items);

    public IReadOnlyDictionary<string, object?> Values => _byKey;

    private static Dictionary<string, object?> Index(IEnumerable<KeyValuePair<string, object?>> items)
    {
        Dictionary<string, object?> byKey = new(StringComparer.Ordinal);
        foreach (var (key, value) in items)
        {
            byKey[key] = value;
        }

        return byKey;
    }
}

/// <summary>A function or bound method; it sees values of templates and nothing of the host.</summary>
internal delegate object? JinjaFunction(IReadOnlyList<object?> arguments, IReadOnlyDictionary<string, object?> named);

/// <summary>The closed world of a template's values: null, bool, long, double, string, List, <see cref="JinjaDict"/> and what the interpreter itself makes.</summary>
internal static class JinjaValues
{
    /// <summary>A value of the caller as one of a template.</summary>
    public static object? From(object? value) => value switch
    {
        null or bool or long or double or string or JinjaDict or List<object?> => value,
        int number => (long)number,
        JsonTree tree => tree.Kind switch
        {
            JsonKind.Object => new JinjaDict(tree.Members.Select(m => KeyValuePair.Create(m.Key, From(m.Value)))),
            JsonKind.Array => tree.Items.Select(From).ToList(),
            JsonKind.String => tree.Text,
            JsonKind.Number => tree.Integer is { } whole ? whole : tree.Number,
            JsonKind.Null => null,
            _ => tree.IsTrue,
        },
        IReadOnlyDictionary<string, object?> map => new JinjaDict(map.Select(m => KeyValuePair.Create(m.Key, From(m.Value)))),
        System.Collections.IEnumerable list => list.Cast<object?>().Select(From).ToList(),
        _ => throw new ArgumentException($"found a {value.GetType().Name}, expected a text, number, flag, list or dictionary", nameof(value)),
    };

    public static bool IsTrue(object? value) => value switch
    {
        null or JinjaUndefined => false,
        bool b => b,
        long n => n != 0,
        double d => d != 0,
        string s => s.Length > 0,
        List<object?> list => list.Count > 0,
        JinjaDict dict => dict.Values.Count > 0,
        _ => true,
    };

    public static double? Number(object? value) => value switch { bool b => b ? 1 : 0, long n => n, double d => d, _ => null };

    public new static bool Equals(object? left, object? right) => (left, right) switch
    {
        (null, null) or (JinjaUndefined, JinjaUndefined) => true,
        (string a, string b) => a == b,
        (List<object?> a, List<object?> b) => a.Count == b.Count && a.Zip(b).All(p => Equals(p.First, p.Second)),
        (JinjaDict a, JinjaDict b) => a.Values.Count == b.Values.Count && a.Values.All(p => b.Values.TryGetValue(p.Key, out var v) && Equals(p.Value, v)),
        _ => Number(left) is { } x && Number(right) is { } y ? x == y : ReferenceEquals(left, right),
    };

    /// <summary>As Python's str().</summary>
    public static string Text(object? value) => value is string s ? s : Repr(value);

    private static string Repr(object? value) => value switch
    {
        null => "None",
        JinjaUndefined => "",
        bool b => b ? "True" : "False",
        long n => n.ToString(CultureInfo.InvariantCulture),
        double d => Float(d),
        string s => Quoted(s),
        List<object?> list => $"[{string.Join(", ", list.Select(Repr))}]",
        JinjaDict dict => $"{{{string.Join(", ", dict.Values.Select(p => $"{Quoted(p.Key)}: {Repr(p.Value)}"))}}}",
        _ => "<object>",
    };

    public static string Float(double d) => double.IsNaN(d) ? "nan" : double.IsInfinity(d) ? d > 0 ? "inf" : "-inf"
        : d == Math.Floor(d) && Math.Abs(d) < 1e16 ? d.ToString("0.0", CultureInfo.InvariantCulture)
        : d.ToString("R", CultureInfo.InvariantCulture).Replace("E", "e", StringComparison.Ordinal);

    private static string Quoted(string text)
    {
        var quote = text.Contains('\'', StringComparison.Ordinal) && !text.Contains('"', StringComparison.Ordinal) ? '"' : '\'';
        var result = new StringBuilder().Append(quote);
        foreach (var c in text)
        {
            _ = c switch
            {
                '\n' => result.Append("\\n"),
                '\r' => result.Append("\\r"),
                '\t' => result.Append("\\t"),
                '\\' => result.Append("\\\\"),
                _ when c == quote => result.Append('\\').Append(c),
                < ' ' or '\u007F' => result.Append(CultureInfo.InvariantCulture, $"\\x{(int)c:x2}"),
                _ => result.Append(c),
            };
        }

        return result.Append(quote).ToString();
    }

    /// <summary>As json.dumps(value, ensure_ascii=False, indent=indent).</summary>
    public static string Json(object? value, int? indent)
    {
        var result = new StringBuilder();
        Write(result, value, indent, 0);
        return result.ToString();
    }

    private static void Write(StringBuilder result, object? value, int? indent, int depth)
    {
        switch (value)
        {
            case null or JinjaUndefined:
                result.Append("null");
                break;
            case bool b:
                result.Append(b ? "true" : "false");
                break;
            case string s:
                String(result, s);
                break;
            case long or double:
                result.Append(Repr(value));
                break;
            case List<object?> list:
                Items(result, '[', ']', list.Count, indent, depth, i => Write(result, list[i], indent, depth + 1));
                break;
            case JinjaDict dict:
                var pairs = dict.Values.ToList();
                Items(result, '{', '}', pairs.Count, indent, depth, i =>
                {
                    String(result, pairs[i].Key);
                    result.Append(": ");
                    Write(result, pairs[i].Value, indent, depth + 1);
                });
                break;
            default:
                throw new JinjaRenderException(0, "a value that JSON has no form for");
        }
    }

    private static void Items(StringBuilder result, char open, char close, int count, int? indent, int depth, Action<int> item)
    {
        result.Append(open);
        for (var i = 0; i < count; i++)
        {
            result.Append(i == 0 ? "" : indent is null ? ", " : ",");
            _ = indent is null ? result : result.Append('\n').Append(' ', indent.Value * (depth + 1));
            item(i);
        }

        _ = indent is null || count == 0 ? result : result.Append('\n').Append(' ', indent.Value * depth);
        result.Append(close);
    }

    private static void String(StringBuilder result, string text)
    {
        result.Append('"');
        foreach (var c in text)
        {
            _ = c switch
            {
                '"' => result.Append("\\\""),
                '\\' => result.Append("\\\\"),
                '\n' => result.Append("\\n"),
                '\r' => result.Append("\\r"),
                '\t' => result.Append("\\t"),
                '\b' => result.Append("\\b"),
                '\f' => result.Append("\\f"),
                < ' ' => result.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"),
                _ => result.Append(c),
            };
        }

        result.Append('"');
    }
}
