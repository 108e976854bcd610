using System.Globalization;
using System.Text;

namespace Temper.Formats.Templates;

internal sealed partial class JinjaInterpreter
{
    private object? Evaluate(JinjaNode node, Scope scope)
    {
        System.Runtime.CompilerServices.RuntimeHelpers.EnsureSufficientExecutionStack();
        Step(node);
        return node.Kind switch
        {
            JinjaKind.String => node.Text,
            JinjaKind.Literal => Literal(node.Text),
            JinjaKind.Name => scope.TryGet(node.Text, out var value) ? value : new JinjaUndefined(node.Text),
            JinjaKind.Attribute => Attribute(Evaluate(node.Children[0], scope), node.Text),
            JinjaKind.Item => Item(Evaluate(node.Children[0], scope), Evaluate(node.Children[1], scope)),
            JinjaKind.Slice => Slice(node, scope),
            JinjaKind.Call => Invoke(node, scope),
            JinjaKind.Filter => Filtered(node, Evaluate(node.Children[0], scope), scope, alone: true),
            JinjaKind.Test => Test(node, scope),
            JinjaKind.Unary => Unary(node, scope),
            JinjaKind.Binary => Binary(node, scope),
            JinjaKind.Conditional => JinjaValues.IsTrue(Evaluate(node.Children[1], scope)) ? Evaluate(node.Children[0], scope) : Evaluate(node.Children[2], scope),
            JinjaKind.List => node.Children.Select(c => Evaluate(c, scope)).ToList(),
            JinjaKind.Dict => new JinjaDict(node.Children.Chunk(2).Select(p => KeyValuePair.Create(JinjaValues.Text(Evaluate(p[0], scope)), Evaluate(p[1], scope))).ToList()),
            JinjaKind.Empty => new JinjaUndefined(""),
            _ => throw Wrong($"{node.Kind} where a value belongs"),
        };
    }

    private object? Literal(string text)
    {
        var digits = text.Replace("_", "", StringComparison.Ordinal);
        return text switch
        {
            "true" or "True" => true,
            "false" or "False" => false,
            "none" or "None" => null,
            _ when long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var whole) => whole,
            _ when double.TryParse(digits, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) => number,
            _ => throw Wrong($"'{text}', which is no number"),
        };
    }

    private object? Attribute(object? owner, string name)
    {
        switch (owner)
        {
            case JinjaUndefined u:
                throw Wrong($"'{u.Name}' is undefined");
            case JinjaNamespace space:
                return space.Values.TryGetValue(name, out var kept) ? kept : new JinjaUndefined(name);
            case JinjaDict dict when JinjaMethods.Of(dict, name) is { } method:
                return method;
            case JinjaDict dict:
                return dict.Values.TryGetValue(name, out var value) ? value : new JinjaUndefined(name);
            case string text:
                return (object?)JinjaMethods.Of(text, name, (value, size) => Made(value, size)) ?? new JinjaUndefined(name);
            case List<object?> list:
                return (object?)JinjaMethods.Of(list, name) ?? (long.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var at) ? Item(list, at) : new JinjaUndefined(name));
            default:
                return new JinjaUndefined(name);
        }
    }

    private object? Item(object? owner, object? key)
    {
        switch (owner)
        {
            case JinjaUndefined u:
                throw Wrong($"'{u.Name}' is undefined");
            case List<object?> list when JinjaValues.Number(key) is { } n:
                return At(list.Count, n) is >= 0 and var i ? list[i] : new JinjaUndefined("item");
            case string text when JinjaValues.Number(key) is { } n:
                var runes = text.EnumerateRunes().ToList();
                return At(runes.Count, n) is >= 0 and var at ? runes[at].ToString() : new JinjaUndefined("item");
            case JinjaDict dict when key is string name && dict.Values.TryGetValue(name, out var value):
                return value;
            default:
                return key is string attribute ? Attribute(owner, attribute) : new JinjaUndefined("item");
        }
    }

    private static int At(int count, double index) => (int)(index < 0 ? index + count : index) is var i && i >= 0 && i < count ? i : -1;

    private object? Slice(JinjaNode node, Scope scope)
    {
        var owner = Evaluate(node.Children[0], scope);
        var parts = new long?[3];
        var part = 0;
        foreach (var child in node.Children.Skip(1))
        {
            if (child.Kind == JinjaKind.Empty && child.Text == ":")
            {
                part = part < 2 ? part + 1 : throw Wrong("a slice of more than three parts");
            }
            else
            {
                var value = Evaluate(child, scope);
                parts[part] = value is null ? null : JinjaValues.Number(value) is { } n ? (long)n : throw Wrong("a slice by what is no number");
            }
        }

        if (owner is string text)
        {
            return string.Concat(Sliced(text.EnumerateRunes().Select(r => r.ToString()).ToList(), parts));
        }

        return owner is List<object?> list ? Sliced(list, parts) : throw Wrong("a slice of what is neither text nor list");
    }

    private List<T> Sliced<T>(List<T> items, long?[] parts)
    {
        var step = parts[2] ?? 1;
        if (step == 0)
        {
            throw Wrong("a slice by steps of zero");
        }

        long Clamp(long? index, long fallback) => index is not { } i ? fallback : Math.Clamp(i < 0 ? i + items.Count : i, step > 0 ? 0 : -1, step > 0 ? items.Count : items.Count - 1);
        var (start, end) = step > 0 ? (Clamp(parts[0], 0), Clamp(parts[1], items.Count)) : (Clamp(parts[0], items.Count - 1), Clamp(parts[1], -1));
        List<T> found = [];
        for (var i = start; step > 0 ? i < end : i > end; i += step)
        {
            found.Add(items[(int)i]);
        }

        return Made(found, found.Count);
    }

    private object? Invoke(JinjaNode node, Scope scope)
    {
        var target = Evaluate(node.Children[0], scope);
        var (arguments, named) = Arguments(node.Children.Skip(1), scope);
        return target switch
        {
            JinjaFunction function => function(arguments, named),
            JinjaUndefined u => throw Wrong($"'{u.Name}' is undefined"),
            _ => throw Wrong("a call of what is no function"),
        };
    }

    private (List<object?> Arguments, Dictionary<string, object?> Named) Arguments(IEnumerable<JinjaNode> nodes, Scope scope)
    {
        List<object?> arguments = [];
        Dictionary<string, object?> named = new(StringComparer.Ordinal);
        foreach (var node in nodes)
        {
            if (node.Kind == JinjaKind.Keyword)
            {
                named[node.Text] = Evaluate(node.Children[0], scope);
            }
            else if (node is { Kind: JinjaKind.Unary, Text: "*" or "**" })
            {
                var value = Evaluate(node.Children[0], scope);
                if (node.Text == "*")
                {
                    arguments.AddRange(Items(value));
                }
                else
                {
                    foreach (var (key, item) in (value as JinjaDict ?? throw Wrong("** of what is no dictionary")).Values)
                    {
                        named[key] = item;
                    }
                }
            }
            else
            {
                arguments.Add(Evaluate(node, scope));
            }
        }

        return (arguments, named);
    }

    private object? Unary(JinjaNode node, Scope scope)
    {
        var value = Evaluate(node.Children[0], scope);
        return node.Text switch
        {
            "not" => !JinjaValues.IsTrue(value),
            "-" => value is long n ? (object)-n : value is double d ? -d : throw Wrong("minus before what is no number"),
            "+" => JinjaValues.Number(value) is not null ? value : throw Wrong("plus before what is no number"),
            _ => throw Wrong($"{node.Text} outside of a call"),
        };
    }

    private object? Binary(JinjaNode node, Scope scope)
    {
        var left = Evaluate(node.Children[0], scope);
        if (node.Text == "and")
        {
            return JinjaValues.IsTrue(left) ? Evaluate(node.Children[1], scope) : left;
        }

        if (node.Text == "or")
        {
            return JinjaValues.IsTrue(left) ? left : Evaluate(node.Children[1], scope);
        }

        var right = Evaluate(node.Children[1], scope);
        return node.Text switch
        {
            "==" => JinjaValues.Equals(left, right),
            "!=" => !JinjaValues.Equals(left, right),
            "<" => Order(left, right) < 0,
            "<=" => Order(left, right) <= 0,
            ">" => Order(left, right) > 0,
            ">=" => Order(left, right) >= 0,
            "in" => In(left, right),
            "not in" => !In(left, right),
            "~" => Joined(JinjaValues.Text(left), JinjaValues.Text(right)),
            _ => Arithmetic(node.Text, left, right),
        };
    }

    private string Joined(string left, string right) => Made(left.Length + (long)right.Length <= limits.Characters ? left + right : "", left.Length + (long)right.Length);

    private int Order(object? left, object? right) => (left, right) switch
    {
        (string a, string b) => string.CompareOrdinal(a, b),
        _ => JinjaValues.Number(left) is { } x && JinjaValues.Number(right) is { } y ? x.CompareTo(y) : throw Wrong($"{Kind(left)} and {Kind(right)}, which have no order"),
    };

    private static string Kind(object? value) => value switch { null => "none", JinjaUndefined u => $"'{u.Name}', which is undefined", string => "a text", bool or long or double => "a number", List<object?> => "a list", JinjaDict => "a dictionary", _ => "a function" };

    private bool In(object? item, object? owner) => owner switch
    {
        string text => item is string part ? text.Contains(part, StringComparison.Ordinal) : throw Wrong($"{Kind(item)} sought in a text"),
        List<object?> list => list.Exists(i => JinjaValues.Equals(i, item)),
        JinjaDict dict => item is string key && dict.Values.ContainsKey(key),
        JinjaNamespace space => item is string key && space.Values.ContainsKey(key),
        JinjaUndefined => false,
        _ => throw Wrong($"something sought in {Kind(owner)}"),
    };

    private object? Arithmetic(string sign, object? left, object? right)
    {
        switch (sign, left, right)
        {
            case ("+", string a, string b):
                return Joined(a, b);
            case ("+", List<object?> a, List<object?> b):
                return Made<List<object?>>([.. a, .. b], a.Count + b.Count);
            case ("*", string a, long n):
                return Repeated(a, n);
            case ("*", long n, string a):
                return Repeated(a, n);
            case (_, bool or long, bool or long):
                return Whole(sign, (long)JinjaValues.Number(left)!.Value, (long)JinjaValues.Number(right)!.Value);
        }

        if (JinjaValues.Number(left) is not { } x || JinjaValues.Number(right) is not { } y)
        {
            throw Wrong($"{sign} between {Kind(left)} and {Kind(right)}");
        }

        return sign switch
        {
            "+" => x + y,
            "-" => x - y,
            "*" => x * y,
            "/" when y != 0 => x / y,
            "//" when y != 0 => Math.Floor(x / y),
            "%" when y != 0 => x - (y * Math.Floor(x / y)),
            "**" => Math.Pow(x, y),
            _ => throw Wrong("a division by zero"),
        };
    }

    private string Repeated(string text, long times)
    {
        var size = text.Length * Math.Max(0L, Math.Min(times, int.MaxValue));
        Made("", size);
        return string.Concat(Enumerable.Repeat(text, (int)Math.Max(0, times)));
    }

    private object Whole(string sign, long x, long y)
    {
        try
        {
            return checked(sign switch
            {
                "+" => x + y,
                "-" => x - y,
                "*" => x * y,
                "//" when y != 0 => (long)Math.Floor((decimal)x / y),
                "%" when y != 0 => ((x % y) + y) % y,
                "/" when y != 0 => (object)((double)x / y),
                "**" when y >= 0 => (long)(decimal)Math.Pow(x, y),
                "**" => Math.Pow(x, y),
                _ => throw Wrong("a division by zero"),
            });
        }
        catch (OverflowException)
        {
            throw Wrong("a number beyond 64 bits");
        }
    }

    /// <summary>What a loop goes over.</summary>
    private IEnumerable<object?> Items(object? value) => value switch
    {
        List<object?> list => list,
        JinjaDict dict => dict.Values.Keys,
        string text => text.EnumerateRunes().Select(r => (object?)r.ToString()),
        JinjaUndefined => [],
        _ => throw Wrong($"a loop over {Kind(value)}"),
    };
}
