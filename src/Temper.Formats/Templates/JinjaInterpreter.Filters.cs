using System.Globalization;

namespace Temper.Formats.Templates;

internal sealed partial class JinjaInterpreter
{
    /// <summary>A value through a chain of filters; alone, only the outermost, whose inner ones the value went through already.</summary>
    private object? Filtered(JinjaNode node, object? value, Scope scope, bool alone = false)
    {
        if (!alone && node.Children[0].Kind == JinjaKind.Filter)
        {
            value = Filtered(node.Children[0], value, scope);
        }

        var (arguments, named) = Arguments(node.Children.Skip(1), scope);
        _at = node.Offset;
        return Filter(node.Text, value, arguments, named);
    }

    private object? Filter(string name, object? value, List<object?> a, Dictionary<string, object?> named)
    {
        object? Argument(int at, string key) => at < a.Count ? a[at] : named.GetValueOrDefault(key);
        switch (name)
        {
            case "default" or "d":
                return value is JinjaUndefined || (JinjaValues.IsTrue(Argument(1, "boolean")) && !JinjaValues.IsTrue(value)) ? Argument(0, "default_value") ?? "" : value;
            case "defined":
                return value is not JinjaUndefined;
            case "tojson":
                var json = JinjaValues.Json(value, JinjaValues.Number(Argument(0, "indent")) is { } indent ? (int)Math.Clamp(indent, 0, 64) : null);
                return Made(json, json.Length);
            case "trim" or "strip":
                return JinjaMethods.Strip(JinjaValues.Text(value), a, true, true);
            case "upper":
                return JinjaValues.Text(value).ToUpperInvariant();
            case "lower":
                return JinjaValues.Text(value).ToLowerInvariant();
            case "title":
                return JinjaMethods.Title(JinjaValues.Text(value));
            case "capitalize":
                return JinjaMethods.Capitalize(JinjaValues.Text(value));
            case "string" or "safe":
                return JinjaValues.Text(value);
            case "escape" or "e":
                return JinjaValues.Text(value).Replace("&", "&amp;", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal).Replace(">", "&gt;", StringComparison.Ordinal)
                    .Replace("'", "&#39;", StringComparison.Ordinal).Replace("\"", "&#34;", StringComparison.Ordinal);
            case "int":
                return value is string s ? long.TryParse(s, NumberStyles.Integer, CultureInfo.InvariantCulture, out var parsed) ? parsed : Argument(0, "default") ?? 0L
                    : JinjaValues.Number(value) is { } n && Math.Abs(n) < 9e18 ? (long)n : Argument(0, "default") ?? 0L;
            case "float":
                return value is string f ? double.TryParse(f, NumberStyles.Float, CultureInfo.InvariantCulture, out var real) ? real : Argument(0, "default") ?? 0.0
                    : JinjaValues.Number(value) ?? Argument(0, "default") ?? 0.0;
            case "abs":
                return value is long whole ? Math.Abs(whole) : Math.Abs(JinjaValues.Number(value) ?? throw Wrong("abs of what is no number"));
            case "round":
                return Math.Round(JinjaValues.Number(value) ?? throw Wrong("round of what is no number"), (int)(JinjaValues.Number(Argument(0, "precision")) ?? 0), MidpointRounding.ToEven);
            case "replace":
                return JinjaMethods.Replace(JinjaValues.Text(value), JinjaMethods.Text(a, 0), JinjaMethods.Text(a, 1), (long)(JinjaValues.Number(Argument(2, "count")) ?? -1), (text, size) => Made(text, size));
            case "indent":
                return Indented(JinjaValues.Text(value), Argument(0, "width"), JinjaValues.IsTrue(Argument(1, "first")), JinjaValues.IsTrue(Argument(2, "blank")));
            case "wordcount":
                return (long)JinjaValues.Text(value).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Length;
            case "length" or "count":
                return value is string counted ? counted.EnumerateRunes().LongCount() : Items(value).LongCount();
            default:
                return Collection(name, value, a, named);
        }
    }

    private object? Collection(string name, object? value, List<object?> a, Dictionary<string, object?> named)
    {
        object? Argument(int at, string key) => at < a.Count ? a[at] : named.GetValueOrDefault(key);
        var by = (named.GetValueOrDefault("attribute") ?? (name is "join" ? Argument(1, "attribute") : null)) as string;
        object? Of(object? item) => by is null ? item : by.Split('.').Aggregate(item, (i, part) => Item(i, part));
        IEnumerable<object?> Sorted() => Items(value).OrderBy(Of, Comparer<object?>.Create((x, y) =>
            JinjaValues.IsTrue(named.GetValueOrDefault("case_sensitive")) || x is not string p || y is not string q ? Order(x, y) : string.CompareOrdinal(p.ToLowerInvariant(), q.ToLowerInvariant())));
        switch (name)
        {
            case "join":
                var parts = Items(value).Select(i => JinjaValues.Text(Of(i))).ToList();
                var separator = JinjaValues.Text(Argument(0, "d") ?? "");
                Made("", parts.Sum(p => (long)p.Length + separator.Length));
                return string.Join(separator, parts);
            case "first":
                return Items(value).DefaultIfEmpty(new JinjaUndefined("first")).First();
            case "last":
                return Items(value).DefaultIfEmpty(new JinjaUndefined("last")).Last();
            case "list":
                return Items(value).ToList() is var copy ? Made(copy, copy.Count) : null;
            case "reverse":
                return value is string text ? string.Concat(text.EnumerateRunes().Reverse().Select(r => r.ToString())) : Items(value).Reverse().ToList();
            case "sort":
                return JinjaValues.IsTrue(Argument(0, "reverse")) ? Sorted().Reverse().ToList() : Sorted().ToList();
            case "min":
                return Sorted().FirstOrDefault(new JinjaUndefined("min"));
            case "max":
                return Sorted().LastOrDefault(new JinjaUndefined("max"));
            case "sum":
                return Items(value).Aggregate((object?)0L, (sum, i) => Arithmetic("+", sum, Of(i)));
            case "unique":
                List<object?> unique = [];
                foreach (var item in Items(value))
                {
                    if (!unique.Exists(u => JinjaValues.Equals(u, item)))
                    {
                        unique.Add(item);
                        Step(new(JinjaKind.Empty, "", _at, []));
                    }
                }

                return unique;
            case "items" or "dictsort":
                var pairs = (value as JinjaDict ?? (value is JinjaUndefined ? new JinjaDict([]) : throw Wrong($"{name} of what is no dictionary"))).Values.AsEnumerable();
                pairs = name == "items" ? pairs : pairs.OrderBy(p => p.Key.ToLowerInvariant(), StringComparer.Ordinal);
                return pairs.Select(p => (object?)new List<object?> { p.Key, p.Value }).ToList();
            case "map":
                return by is not null
                    ? Items(value).Select(i => Of(i) is var found && found is JinjaUndefined && named.TryGetValue("default", out var fallback) ? fallback : Of(i)).ToList()
                    : Items(value).Select(i => Filter(JinjaMethods.Text(a, 0), i, [.. a.Skip(1)], named)).ToList();
            case "select" or "reject":
                return Items(value).Where(i => (a.Count == 0 ? JinjaValues.IsTrue(i) : Test(JinjaMethods.Text(a, 0), i, [.. a.Skip(1)])) == (name == "select")).ToList();
            case "selectattr" or "rejectattr":
                by = JinjaMethods.Text(a, 0);
                return Items(value).Where(i => (a.Count == 1 ? JinjaValues.IsTrue(Of(i)) : Test(JinjaMethods.Text(a, 1), Of(i), [.. a.Skip(2)])) == (name == "selectattr")).ToList();
            default:
                throw Wrong($"the filter {name}, which chat templates have no use for");
        }
    }

    private string Indented(string text, object? width, bool first, bool blank)
    {
        var margin = width is string s ? s : new string(' ', (int)Math.Clamp(JinjaValues.Number(width) ?? 4, 0, 256));
        var lines = text.Split('\n');
        Made("", text.Length + ((long)lines.Length * margin.Length));
        return string.Join('\n', lines.Select((line, i) => (i == 0 ? first : blank || line.Length > 0) ? margin + line : line));
    }

    private bool Test(JinjaNode node, Scope scope)
    {
        var value = Evaluate(node.Children[0], scope);
        var (arguments, _) = Arguments(node.Children.Skip(1), scope);
        _at = node.Offset;
        return node.Text.StartsWith("not ", StringComparison.Ordinal) ? !Test(node.Text[4..], value, arguments) : Test(node.Text, value, arguments);
    }

    private bool Test(string name, object? value, IReadOnlyList<object?> a)
    {
        object? First() => a.Count > 0 ? a[0] : throw Wrong($"the test {name} without an argument");
        long Integer(object? v) => JinjaValues.Number(v) is { } n ? (long)n : throw Wrong($"the test {name} of what is no number");
        return name switch
        {
            "defined" => value is not JinjaUndefined,
            "undefined" => value is JinjaUndefined,
            "none" => value is null,
            "true" => value is true,
            "false" => value is false,
            "boolean" => value is bool,
            "string" => value is string,
            "number" => value is long or double or bool,
            "integer" => value is long,
            "float" => value is double,
            "mapping" => value is JinjaDict,
            "sequence" => value is List<object?> or string or JinjaDict,
            "iterable" => value is List<object?> or string or JinjaDict or JinjaUndefined,
            "callable" => value is JinjaFunction,
            "odd" => Integer(value) % 2 != 0,
            "even" => Integer(value) % 2 == 0,
            "divisibleby" => Integer(First()) is not 0 and var by ? Integer(value) % by == 0 : throw Wrong("a division by zero"),
            "lower" => value is string s && s == s.ToLowerInvariant(),
            "upper" => value is string s && s == s.ToUpperInvariant(),
            "in" => In(value, First()),
            "eq" or "equalto" or "==" or "sameas" => JinjaValues.Equals(value, First()),
            "ne" or "!=" => !JinjaValues.Equals(value, First()),
            "lt" or "lessthan" or "<" => Order(value, First()) < 0,
            "le" or "<=" => Order(value, First()) <= 0,
            "gt" or "greaterthan" or ">" => Order(value, First()) > 0,
            "ge" or ">=" => Order(value, First()) >= 0,
            _ => throw Wrong($"the test {name}, which chat templates have no use for"),
        };
    }

    private Dictionary<string, JinjaFunction> Functions() => new(StringComparer.Ordinal)
    {
        ["raise_exception"] = (a, _) => throw new JinjaRenderException(_at, a.Count > 0 ? JinjaValues.Text(a[0]) : "", isRaised: true),
        ["strftime_now"] = (a, _) => JinjaClock.Format(now, JinjaMethods.Text(a, 0)),
        ["namespace"] = (a, named) => new JinjaNamespace(a.OfType<JinjaDict>().SelectMany(d => d.Values).Concat(named).ToDictionary(p => p.Key, p => p.Value, StringComparer.Ordinal)),
        ["dict"] = (a, named) => new JinjaDict(a.OfType<JinjaDict>().SelectMany(d => d.Values).Concat(named)),
        ["range"] = (a, _) => Range([.. a.Select(v => JinjaValues.Number(v) is { } n ? (long)n : throw Wrong("a range of what is no number"))]),
    };

    private List<object?> Range(long[] parts)
    {
        var (start, end, step) = parts switch { [var e] => (0, e, 1), [var s, var e] => (s, e, 1), [var s, var e, not 0 and var by] => (s, e, by), _ => throw Wrong("a range without an end") };
        var count = Int128.Max(0, ((Int128)end - start + step - Math.Sign(step)) / step);
        return count <= 100_000
            ? [.. Enumerable.Range(0, (int)count).Select(i => (object?)(start + (i * step)))]
            : throw Wrong("a range of more than 100000 numbers");
    }
}

/// <summary>The directives of strftime that templates use.</summary>
internal static class JinjaClock
{
    public static string Format(DateTime now, string format)
    {
        var result = new System.Text.StringBuilder();
        for (var i = 0; i < format.Length; i++)
        {
            result.Append(format[i] != '%' || i + 1 == format.Length ? format[i].ToString() : format[++i] switch
            {
                'd' => now.ToString("dd", CultureInfo.InvariantCulture),
                'm' => now.ToString("MM", CultureInfo.InvariantCulture),
                'Y' => now.ToString("yyyy", CultureInfo.InvariantCulture),
                'y' => now.ToString("yy", CultureInfo.InvariantCulture),
                'b' => now.ToString("MMM", CultureInfo.InvariantCulture),
                'B' => now.ToString("MMMM", CultureInfo.InvariantCulture),
                'a' => now.ToString("ddd", CultureInfo.InvariantCulture),
                'A' => now.ToString("dddd", CultureInfo.InvariantCulture),
                'H' => now.ToString("HH", CultureInfo.InvariantCulture),
                'M' => now.ToString("mm", CultureInfo.InvariantCulture),
                'S' => now.ToString("ss", CultureInfo.InvariantCulture),
                '%' => "%",
                var other => throw new JinjaRenderException(0, $"the directive %{other} of strftime, which is not known"),
            });
        }

        return result.ToString();
    }
}
