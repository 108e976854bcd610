using System.Text;

namespace Temper.Formats.Templates;

/// <summary>Runs a template's tree: statements here, expressions beside.</summary>
internal sealed partial class JinjaInterpreter(JinjaLimits limits, DateTime now)
{
    private enum Flow { Next, Break, Continue }

    private readonly Dictionary<string, object?> _globals = new(StringComparer.Ordinal);
    private StringBuilder _output = new();
    private long _steps;
    private long _made;
    private int _depth;
    private int _at;

    /// <summary>Names of one body, before those around it.</summary>
    private sealed class Scope(Scope? outer, Dictionary<string, object?> values)
    {
        public Dictionary<string, object?> Values => values;

        public bool TryGet(string name, out object? value)
        {
            for (var scope = this; scope is not null; scope = scope.Outer)
            {
                if (scope.Values.TryGetValue(name, out value))
                {
                    return true;
                }
            }

            value = null;
            return false;
        }

        private Scope? Outer => outer;
    }

    public string Run(JinjaNode body, Dictionary<string, object?> variables)
    {
        foreach (var (name, function) in Functions())
        {
            _globals[name] = function;
        }

        try
        {
            Execute(body, Inner(Inner(null, _globals), variables));
        }
        catch (JinjaRenderException e) when (!e.IsRaised && e.Offset == 0)
        {
            throw new JinjaRenderException(_at, e.Message[(e.Message.IndexOf(": ", StringComparison.Ordinal) + 2)..]);
        }

        return _output.ToString();
    }

    private static Scope Inner(Scope? outer, Dictionary<string, object?>? values = null) => new(outer, values ?? new(StringComparer.Ordinal));

    private JinjaRenderException Wrong(string why) => new(_at, why);

    private void Step(JinjaNode node)
    {
        _at = node.Offset;
        if (++_steps > limits.Steps)
        {
            throw Wrong($"more than {limits.Steps} steps");
        }
    }

    /// <summary>Counts what is made, so that no doubling outgrows memory.</summary>
    private T Made<T>(T value, long size)
    {
        _made += size;
        return size <= limits.Characters && _made <= 16L * limits.Characters ? value : throw Wrong($"more than {limits.Characters} characters or items");
    }

    private void Write(string text)
    {
        _output.Append(text);
        if (_output.Length > limits.Characters)
        {
            throw Wrong($"more than {limits.Characters} characters of output");
        }
    }

    private Flow Execute(JinjaNode node, Scope scope)
    {
        Step(node);
        switch (node.Kind)
        {
            case JinjaKind.Body:
                foreach (var child in node.Children)
                {
                    if (Execute(child, scope) is var flow && flow != Flow.Next)
                    {
                        return flow;
                    }
                }

                return Flow.Next;
            case JinjaKind.Empty:
                return Flow.Next;
            case JinjaKind.Text:
                Write(node.Text);
                return Flow.Next;
            case JinjaKind.Output:
                Write(JinjaValues.Text(Evaluate(node.Children[0], scope)));
                return Flow.Next;
            case JinjaKind.If:
                return Execute(JinjaValues.IsTrue(Evaluate(node.Children[0], scope)) ? node.Children[1] : node.Children[2], scope);
            case JinjaKind.For:
                return For(node, scope);
            case JinjaKind.Set:
                Set(node, scope);
                return Flow.Next;
            case JinjaKind.Macro:
                scope.Values[node.Text] = Macro(node, scope);
                return Flow.Next;
            default:
                return Tag(node, scope);
        }
    }

    private Flow Tag(JinjaNode node, Scope scope)
    {
        switch (node.Text)
        {
            case "break":
                return Flow.Break;
            case "continue":
                return Flow.Continue;
            case "generation":
                return Execute(node.Children[1], scope);
            case "do":
                Evaluate(node.Children[0], scope);
                return Flow.Next;
            case "print":
                Write(JinjaValues.Text(Evaluate(node.Children[0], scope)));
                return Flow.Next;
            case "with":
                var inner = Inner(scope);
                foreach (var argument in node.Children[0].Children)
                {
                    inner.Values[argument.Text] = argument.Kind == JinjaKind.Keyword ? Evaluate(argument.Children[0], scope) : throw Wrong("with without names");
                }

                return Execute(node.Children[1], inner);
            case "filter":
                var text = Captured(() => Execute(node.Children[1], Inner(scope)));
                Write(JinjaValues.Text(Filtered(node.Children[0], text, scope)));
                return Flow.Next;
            case "call":
                Call(node, scope);
                return Flow.Next;
            default:
                throw Wrong($"the tag {node.Text}, which chat templates have no use for");
        }
    }

    private void Call(JinjaNode node, Scope scope)
    {
        var (parameters, call) = (node.Children[0].Children[0], node.Children[0].Children[1]);
        var caller = Callable(parameters.Kind == JinjaKind.Call ? parameters.Children.Skip(1) : [], node.Children[1], scope, "caller");
        if (call.Kind != JinjaKind.Call || Evaluate(call.Children[0], scope) is not JinjaFunction function)
        {
            throw Wrong("call of what is no macro");
        }

        var (arguments, named) = Arguments(call.Children.Skip(1), scope);
        named["caller"] = caller;
        Write(JinjaValues.Text(function(arguments, named)));
    }

    private Flow For(JinjaNode node, Scope scope)
    {
        var (target, body) = (node.Children[0], node.Children[3]);
        var items = Items(Evaluate(node.Children[1], scope)).ToList();
        if (node.Children[2].Kind != JinjaKind.Empty)
        {
            items = [.. items.Where(item =>
            {
                var inner = Inner(scope);
                Assign(target, item, inner);
                return JinjaValues.IsTrue(Evaluate(node.Children[2], inner));
            })];
        }

        if (items.Count == 0)
        {
            return Execute(node.Children[4], scope);
        }

        Enter();
        for (var i = 0; i < items.Count; i++)
        {
            var inner = Inner(scope);
            inner.Values["loop"] = Loop(items, i);
            Assign(target, items[i], inner);
            if (Execute(body, inner) == Flow.Break)
            {
                break;
            }
        }

        _depth--;
        return Flow.Next;
    }

    private JinjaDict Loop(List<object?> items, int i) => new(new Dictionary<string, object?>(StringComparer.Ordinal)
    {
        ["index"] = i + 1L, ["index0"] = (long)i, ["revindex"] = (long)(items.Count - i), ["revindex0"] = items.Count - i - 1L,
        ["first"] = i == 0, ["last"] = i == items.Count - 1, ["length"] = (long)items.Count, ["depth"] = (long)_depth, ["depth0"] = _depth - 1L,
        ["previtem"] = i > 0 ? items[i - 1] : new JinjaUndefined("loop.previtem"), ["nextitem"] = i + 1 < items.Count ? items[i + 1] : new JinjaUndefined("loop.nextitem"),
        ["cycle"] = (JinjaFunction)((a, _) => a.Count > 0 ? a[i % a.Count] : throw Wrong("cycle of nothing")),
    });

    private void Enter()
    {
        if (++_depth > limits.Depth)
        {
            throw Wrong($"more than {limits.Depth} loops and calls inside each other");
        }
    }

    private void Set(JinjaNode node, Scope scope)
    {
        if (node.Text != "block")
        {
            Assign(node.Children[0], Evaluate(node.Children[1], scope), scope);
            return;
        }

        object? text = Captured(() => Execute(node.Children[1], Inner(scope)));
        var target = node.Children[0];
        if (target.Kind == JinjaKind.Filter)
        {
            text = Filtered(target, text, scope);
            while (target.Kind == JinjaKind.Filter)
            {
                target = target.Children[0];
            }
        }

        Assign(target, text, scope);
    }

    private string Captured(Action run)
    {
        var outer = _output;
        _output = new();
        try
        {
            run();
            return _output.ToString();
        }
        finally
        {
            _output = outer;
        }
    }

    private void Assign(JinjaNode target, object? value, Scope scope)
    {
        if (target.Kind == JinjaKind.Name)
        {
            scope.Values[target.Text] = value;
        }
        else if (target.Kind == JinjaKind.Attribute && Evaluate(target.Children[0], scope) is JinjaNamespace space)
        {
            space.Values[target.Text] = value;
        }
        else if (target.Kind == JinjaKind.List)
        {
            var items = Items(value).ToList();
            if (items.Count != target.Children.Count)
            {
                throw Wrong($"{items.Count} values for {target.Children.Count} names");
            }

            for (var i = 0; i < items.Count; i++)
            {
                Assign(target.Children[i], items[i], scope);
            }
        }
        else
        {
            throw Wrong("an assignment to what is neither a name nor part of a namespace");
        }
    }

    private JinjaFunction Macro(JinjaNode node, Scope scope) => Callable(node.Children[0].Children.Skip(1), node.Children[1], scope, node.Text);

    private JinjaFunction Callable(IEnumerable<JinjaNode> parameters, JinjaNode body, Scope scope, string name)
    {
        var names = parameters.ToList();
        return (arguments, named) =>
        {
            if (arguments.Count > names.Count || named.Keys.FirstOrDefault(k => k != "caller" && !names.Exists(n => n.Text == k)) is not null)
            {
                throw Wrong($"{name} takes {names.Count} arguments");
            }

            var inner = Inner(scope);
            for (var i = 0; i < names.Count; i++)
            {
                inner.Values[names[i].Text] = i < arguments.Count ? arguments[i]
                    : named.TryGetValue(names[i].Text, out var given) ? given
                    : names[i].Kind == JinjaKind.Keyword ? Evaluate(names[i].Children[0], inner)
                    : new JinjaUndefined(names[i].Text);
            }

            if (named.TryGetValue("caller", out var caller))
            {
                inner.Values["caller"] = caller;
            }

            Enter();
            var text = Captured(() => Execute(body, inner));
            _depth--;
            return text;
        };
    }
}
