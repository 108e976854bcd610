using System.Text;

namespace Temper.Formats.Pickle;

internal ref partial struct PickleMachine
{
    private const int SummaryLength = 160;
    private const int LongestName = 500;
    private const byte NewObject = 0x81;
    private const byte NewObjectEx = 0x92;

    private PickleValue GlobalLines()
    {
        var module = NameLine();
        var name = _end is null ? NameLine() : "";
        return _end is null ? Import(module, name) : default;
    }

    private void StackGlobal()
    {
        var name = Pop();
        var module = Pop();
        if (_end is not null)
        {
            return;
        }

        if (Text(module) is { } m && Text(name) is { } n)
        {
            Push(Import(m, n));
            return;
        }

        Push(Import(new(Describe(module, 0), Describe(name, 0), Resolved: false)));
    }

    private PickleValue Import(string module, string name)
    {
        if (module.Length > LongestName || name.Length > LongestName)
        {
            // No module has such a name, and a few long strings make millions of pairs.
            return Import(new(Short(module), Short(name), Resolved: false));
        }

        if (Protocol < 3)
        {
            (module, name) = PickleCompatNames.Map(module, name);
        }

        return Import(new(module, name, Resolved: true));
    }

    private static string Short(string name) => name.Length > LongestName ? name[..LongestName] : name;

    private PickleValue Import(PickleGlobal global)
    {
        _wraps |= _followArrays && global.IsArrayWrapper;
        Record(PickleEventKind.Import, global, default);
        return new(PickleKind.Global, global);
    }

    private void Extension(long code)
    {
        if (_end is null)
        {
            Push(Import(_extensions.TryGetValue(code, out var known) ? known : new("copyreg extension", $"{code}", Resolved: false)));
        }
    }

    private void Instance()
    {
        var target = GlobalLines();
        var mark = PopMark();
        if (_end is not null)
        {
            return;
        }

        var arguments = TupleOf(mark);
        DropFrom(mark);
        Call(target, arguments);
    }

    private void Object()
    {
        var mark = PopMark();
        if (_end is not null || mark >= _stack.Count)
        {
            Fail(PickleEnd.Malformed);
            return;
        }

        var target = _stack[mark];
        var arguments = TupleOf(mark + 1);
        DropFrom(mark);
        Call(target, arguments);
    }

    private void Reduce(bool keywords)
    {
        if (keywords)
        {
            Pop();
        }

        var arguments = Pop();
        var target = Pop();
        if (_end is null)
        {
            Call(target, arguments);
        }
    }

    private void Call(PickleValue target, PickleValue arguments)
    {
        var callee = Callee(target);
        Record(PickleEventKind.Call, callee, arguments);
        if (callee is { Module: "copyreg", Name: "add_extension" } && arguments.Content is PickleValue[] { Length: >= 3 } items
            && Text(items[0]) is { } module && Text(items[1]) is { } name)
        {
            _extensions[items[2].Number] = new(module, name, Resolved: true);
        }

        if (callee.IsArrayWrapper && _opcode is not (NewObject or NewObjectEx))
        {
            // Its constructor sets what its loader reads.
            Fail(_followArrays ? PickleEnd.Malformed : null);
        }

        Push(callee is { Module: "numpy", Name: "dtype" } ? Dtype(callee, arguments) : new(PickleKind.Result, Made(callee, arguments)));
    }

    // What copyreg's functions make is of the class that they are given.
    private static PickleGlobal Made(PickleGlobal callee, in PickleValue arguments) =>
        callee is { Module: "copyreg", Guard: ArgumentGuard.Callable } && arguments.Content is PickleValue[] and [{ Kind: PickleKind.Global, Content: PickleGlobal made }, ..] ? made : callee;

    private void Build()
    {
        var state = Pop();
        var target = Peek();
        if (_end is null)
        {
            Record(target.Kind == PickleKind.Global ? PickleEventKind.Write : PickleEventKind.Build, Callee(target), state);
            if (target is { Kind: PickleKind.Result, Number: > 0 })
            {
                _dtypes[(int)target.Number - 1].Build(state);
            }
            else if (_wraps && target is { Kind: PickleKind.Result, Content: PickleGlobal made })
            {
                ReadArray(made, state);
            }
        }
    }

    private readonly void Write(PickleValue target)
    {
        if (_end is null && target.Kind == PickleKind.Global)
        {
            Record(PickleEventKind.Write, Callee(target), default);
        }
        else if (_end is null && target is { Kind: PickleKind.Result, Content: PickleGlobal { MakesTensors: true } made })
        {
            Record(PickleEventKind.Write, made, default, "no container");
        }
    }

    // torch's ids of storages: the word, the class, a key, a device and a number of items.
    private void PersistentId()
    {
        var id = Pop();
        if (_log.Storages.Count < _budget.Events && id.Content is PickleValue[] { Length: >= 5 } parts && Text(parts[0]) == "storage" && parts[1].Content is PickleGlobal { Resolved: true } type
            && Text(parts[2]) is { } key && parts[4].Kind == PickleKind.Int)
        {
            _log.Storages.Add(new(type.Name, key, parts[4].Number));
        }

        PushKind(PickleKind.Persistent);
    }

    // What stands in the place of a callable: an import, what a call of an import returned, or something that cannot be called by a loader's rules.
    private readonly PickleGlobal Callee(in PickleValue target) => target switch
    {
        { Kind: PickleKind.Global, Content: PickleGlobal global } => global,
        { Kind: PickleKind.Result, Content: PickleGlobal made } => made.Resolved ? made with { Resolved = false } : made,
        _ => new("", Describe(target, 0), Resolved: false),
    };

    private readonly void Record(PickleEventKind kind, PickleGlobal global, in PickleValue arguments, string? oddity = null)
    {
        oddity ??= kind == PickleEventKind.Call && global.Guard != ArgumentGuard.None ? Oddity(global, arguments) : null;
        if (_log.Wants(kind, global.Module, global.Name) || (oddity is not null && !_log.IsFull))
        {
            var summary = kind == PickleEventKind.Import ? "" : Describe(arguments, 0);
            _log.Add(new(kind, global.Module, global.Name, OpcodeOffset, summary, global.Resolved, oddity, _opcode));
        }
    }

    private readonly string? Oddity(PickleGlobal global, in PickleValue arguments)
    {
        if (arguments.Content is not PickleValue[] items)
        {
            return arguments.Kind == PickleKind.Tuple ? null : "the arguments are computed";
        }

        switch (global.Guard)
        {
            case ArgumentGuard.Codec when items.Length > 1:
                var codec = Text(items[1]);
                return codec is "latin1" or "latin-1" or "iso-8859-1" or "utf-8" or "utf8" or "ascii" or "utf-16" or "utf-32" ? null : $"codec {Describe(items[1], 0)}";
            case ArgumentGuard.Size:
                foreach (var item in items)
                {
                    if (item.Kind == PickleKind.Int && item.Number is > PickleGlobal.LargestSize or < -PickleGlobal.LargestSize)
                    {
                        return $"size {item.Number}";
                    }
                }

                return null;
            case ArgumentGuard.Callable when items.Length > 0 && items[0].Kind is PickleKind.Result or PickleKind.Text:
                return $"{Describe(items[0], 0)} where a class belongs";
            case ArgumentGuard.Callable when global.Name == "_reconstructor" && items.Length > 1 && items[1].Content is PickleGlobal { Module: not "builtins" } initialized:
                // copyreg._reconstructor runs the second class's __init__ on the third argument.
                return $"the initializer of {initialized.Module}.{initialized.Name}";
            default:
                return null;
        }
    }

    private readonly string Describe(in PickleValue value, int depth)
    {
        switch (value.Kind)
        {
            case PickleKind.Int:
                return $"{value.Number}";
            case PickleKind.Text:
                return Text(value) is { } text ? $"'{(text.Length > SummaryLength ? text[..SummaryLength] + "…" : text)}'" : "long text";
            case PickleKind.Bytes:
                return $"{value.Length} bytes{(value.IsLong ? " or more" : "")}";
            case PickleKind.Global or PickleKind.Result:
                var global = (PickleGlobal)value.Content!;
                return $"{global.Module}.{global.Name}{(value.Kind == PickleKind.Result ? "(…)" : "")}";
            case PickleKind.Tuple when value.Content is PickleValue[] items && depth < 3:
                var all = new StringBuilder("(");
                for (var i = 0; i < items.Length && all.Length < SummaryLength; i++)
                {
                    all.Append(i == 0 ? "" : ", ").Append(Describe(items[i], depth + 1));
                }

                return all.Append(value.Number > items.Length ? ", …)" : ")").ToString();
            default:
                return value.Kind switch { PickleKind.Tuple => "(…)", PickleKind.Container => "a container", PickleKind.Persistent => "a persistent object", _ => "data" };
        }
    }
}
