using System.Text;
using static Temper.Scan.Tests.Corpus.Build;
using static Temper.Tests.PickleBytes;

namespace Temper.Scan.Tests.Corpus;

/// <summary>Rows P1 to P23, every way a pickle hides a call, and P24, the arrays that joblib writes between opcodes.</summary>
internal static class PickleFixtures
{
    private const string P2 = "\u0080\u0002";
    private const string P4 = "\u0080\u0004";
    private const string Arg = "(S'echo temper-inert'\nt";
    private static readonly string Sink = Short("os") + Short("system") + "\u0093";

    public static IEnumerable<Fixture> All()
    {
        yield return One("P1", "INST", "(S'echo temper-inert'\nios\nsystem\n.");
        yield return One("P2", "OBJ", "(cos\nsystem\nS'echo temper-inert'\no.");
        yield return One("P2", "OBJ dropped by POP", "(cos\nsystem\nS'echo temper-inert'\no0N.");
        yield return One("P2", "OBJ dropped by POP_MARK", "((cos\nsystem\nS'echo temper-inert'\no1N.");
        yield return One("P3", "NEWOBJ", P2 + "csubprocess\nPopen\n" + Arg + "\u0081.");
        yield return One("P3", "NEWOBJ_EX", P4 + "csubprocess\nPopen\n" + Arg + "}\u0092.");
        yield return One("P3", "BUILD on an import", "cpickle\nUnpickler\n}S'find_class'\nNsb.");
        yield return One("P4", "dotted STACK_GLOBAL", P4 + Short("site") + Short("os.system") + "\u0093" + Arg + "R.");
        yield return One("P4", "dotted GLOBAL", P4 + "cpathlib\nos.system\n" + Arg + "R.");
        yield return One("P5", "escaped names", P4 + "Vo\\u0073\nV\\u0073ystem\n\u0093" + Arg + "R.");
        yield return One("P5", "quoted names", P4 + "S'os'\nS\"system\"\n\u0093" + Arg + "R.");
        yield return One("P5", "BINUNICODE8 name", P4 + "\u008d\u0002\0\0\0\0\0\0\0os" + Short("system") + "\u0093" + Arg + "R.");
        yield return One("P6", "memo overwritten by MEMOIZE", P4 + Short("x") + "q\u0001" + Short("os") + "\u009400h\u0001" + Short("system") + "\u0093" + Arg + "R.");
        yield return One("P6", "decoys put into used slots", P4 + Short("json") + "q\u00000" + Short("os") + "q\u000000".Replace("00", "0", StringComparison.Ordinal) + "h\u0000" + Short("system") + "\u0093" + Arg + "R.");
        yield return One("P7", "undefined memo slot after the call", "cos\nsystem\n" + Arg + "Rg99\n.");
        yield return One("P7", "a memo value that is no name after the call", P4 + Sink + Arg + "R0K\u0001\u0094" + Short("x") + "\u0093.");
        yield return One("P8", "no STOP", "cos\nsystem\n" + Arg + "R");
        yield return One("P8", "invalid opcode after the call", "cos\nsystem\n" + Arg + "R\u00ff");
        yield return One("P8", "truncated text after the call", "cos\nsystem\n" + Arg + "RX\u00ff\u00ff\0\0abc");
        yield return One("P9", "second pickle of the file", "N.cos\nsystem\n" + Arg + "R.");
        yield return One("P9", "fifth pickle of the file", "N.N.N.N.cos\nsystem\n" + Arg + "R.");
        yield return One("P10", "extension registered by itself", "ccopyreg\nadd_extension\n(Vos\nVsystem\nK\u0007tR0\u0082\u0007" + Arg + "R.");
        yield return One("P10", "extension of two and of four bytes", "ccopyreg\nadd_extension\n(Vos\nVsystem\nM\u0001\u0002tR0\u0083\u0001\u00020\u0084\u0001\u0002\0\0" + Arg + "R.");
        yield return One("P11", "cPickle", P2 + "ccPickle\nloads\n" + Arg + "R.");
        yield return One("P11", "urllib2", P2 + "curllib2\nurlopen\n" + Arg + "R.");
        yield return One("P11", "__builtin__", P2 + "c__builtin__\neval\n" + Arg + "R.");
        yield return One("P11", "commands", P2 + "ccommands\ngetoutput\n" + Arg + "R.");
        yield return One("P11", "itertools.imap", P2 + "citertools\nimap\n" + Arg + "R.");
        yield return One("P12", "frame longer than the file", P4 + "\u0095\u00ff\0\0\0\0\0\0\0" + Sink + Arg + "R.");
        yield return One("P12", "frame shorter than its opcodes", P4 + "\u0095\u0004\0\0\0\0\0\0\0" + Sink + Arg + "R.");
        yield return One("P12", "a frame in a frame", P4 + "\u0095\u0030\0\0\0\0\0\0\0\u0095\u0004\0\0\0\0\0\0\0" + Sink + Arg + "R.");
        yield return One("P12", "a frame of nothing", P4 + "\u0095\0\0\0\0\0\0\0\0" + Sink + Arg + "R.");
        yield return new("P12", "a frame that is too long and nothing else", Verdict.Suspicious, ("file.pkl", Of(P4 + "\u0095\u00ff\0\0\0\0\0\0\0N.")));
        yield return One("P13", "PROTO in the middle", "N0" + P2 + "ccommands\ngetoutput\n" + Arg + "R.");
        yield return new("P13", "PROTO above 5", Verdict.Unknown, ("file.pkl", Of("\u0080\u0007N.")));
        yield return new("P13", "PROTO twice", Verdict.Suspicious, ("file.pkl", Of(P2 + P2 + "N.")));
        yield return One("P14", "persistent id with a callable", P2 + "(" + Short("storage") + "cos\nsystem\ntQ.");
        yield return One("P14", "after BYTEARRAY8 and NEXT_BUFFER", "\u0080\u0005\u0096\u0002\0\0\0\0\0\0\0ab0\u0097\u00980" + Sink + Arg + "R.");
        foreach (var (module, name) in ((string, string)[])[("functools", "partial"), ("builtins", "getattr"), ("operator", "attrgetter"), ("operator", "methodcaller"), ("pkgutil", "resolve_name"),
            ("pydoc", "locate"), ("importlib", "import_module"), ("string", "Formatter.get_field"), ("unittest.mock", "_get_target"), ("typing", "get_type_hints"), ("dataclasses", "_create_fn"),
            ("builtins", "map"), ("itertools", "starmap"), ("functools", "reduce")])
        {
            yield return One("P15", $"{module}.{name}", P4 + Short(module) + Short(name) + "\u0093" + Arg + "R)R.");
        }

        yield return One("P15", "an attribute of an import", P2 + "c__builtin__\ngetattr\n(c__builtin__\n__import__\n(S'os'\ntRS'system'\ntR" + Arg + "R.");
        yield return One("P15", "a walk by format", P4 + Short("builtins") + Short("str.format") + "\u0093" + Arg + "R.");
        yield return One("P15", "DUP of a callable", P4 + Sink + "2" + Arg + "R0" + Arg + "R.");
        yield return One("P15", "filter", P4 + Short("builtins") + Short("filter") + "\u0093" + Arg + "R.");
        yield return One("P16", "a class made with __del__", P4 + Short("builtins") + Short("type") + "\u0093(S'X'\n)}S'__del__'\n" + Sink + "stR.");
        foreach (var (title, carrier) in Carriers())
        {
            yield return new("P17", $"{title} and pickle.loads", Verdict.Malicious, ("file.pkl", [.. Of("cpickle\nloads\n("), .. carrier, .. Of("tR.")]));
            yield return new("P17", $"{title} and nothing that reads it", Verdict.Unknown, ("file.pkl", [.. carrier, (byte)'.']));
        }

        foreach (var name in (string[])["marshal.loads", "types.CodeType", "types.FunctionType", "dill._dill._create_code", "dill._dill._create_function", "cloudpickle.cloudpickle._make_function", "numpy.testing._private.utils.runstring"])
        {
            yield return One("P18", name, Global(name) + Arg + "R.");
        }

        yield return One("P19", "sys.modules overwritten", "csys\nmodules\nS'collections'\nNs.");
        yield return One("P19", "an allowed class overwritten", "ccollections\nOrderedDict\n}S'__init__'\nNsb.");
        yield return One("P20", "picklescan imported", "cpicklescan.scanner\n_unsafe_globals\n}s.");
        yield return One("P20", "torch.serialization changed", "ctorch.serialization\nadd_safe_globals\n" + Arg + "R.");
        yield return new("P21", "length beyond the file", Verdict.Unknown, ("file.pkl", Of(P4 + "\u008d\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u007fabc")));
        yield return new("P21", "negative length", Verdict.Unknown, ("file.pkl", Of(P2 + "\u008b\u00ff\u00ff\u00ff\u00ff.")));
        yield return new("P21", "deep marks", Verdict.Unknown, ("file.pkl", Of(P2 + new string('(', 3_000_000) + ".")));
        yield return new("P21", "DUP chain", Verdict.Unknown, ("file.pkl", Of(P2 + "N" + new string('2', 3_000_000) + "1.")));
        yield return new("P21", "a bytearray of two gigabytes", Verdict.Suspicious, ("file.pkl", Of(P2 + "c__builtin__\nbytearray\nJ\u00ff\u00ff\u00ff\u007f\u0085R.")));
        yield return new("P21", "a memo of millions", Verdict.Unknown, ("file.pkl", Of(P4 + "N" + new string('\u0094', 4_100_000) + ".")));
        yield return new("P22", "protocol 0 under the name of weights", Verdict.Malicious, ("pytorch_model.bin", Evil));
        yield return One("P22", "byte order mark first", "\u00ef\u00bb\u00bf\u0080\u0002cos\nsystem\n" + Arg + "R.");
        yield return One("P22", "newlines first", "\n\n\u0080\u0002cos\nsystem\n" + Arg + "R.");
        yield return new("P22", "under the name of safetensors", Verdict.Malicious, ("model.safetensors", Evil));
        yield return new("P22", "under the name of text", Verdict.Malicious, ("notes.txt", Evil));
        yield return new("P22", "without a name", Verdict.Malicious, ("weights", Evil));
        foreach (var (title, bytes) in Compressed())
        {
            yield return new("P23", title, Verdict.Malicious, ("model.joblib", bytes));
        }

        foreach (var (title, expected, parts) in Joblib())
        {
            yield return new("P24", title, expected, ("model.joblib", Of(parts)));
        }
    }

    private static IEnumerable<(string, Verdict, string[])> Joblib()
    {
        const string New = "\u0080\u0003cjoblib.numpy_pickle\nNumpyArrayWrapper\n)\u0081";
        const string Minus = "J\u00ff\u00ff\u00ff\u00ff";
        const string Eight = "K\u0008\u0085";
        var evil = Encoding.Latin1.GetString(Evil);
        string Dtype(string name, string flags) => $"cnumpy\ndtype\n{Short(name)}\u0089\u0088\u0087R(K\u0003{Short("|")}NNN{Minus}{Minus}K{flags}tb";
        string State(string shape, string dtype) => $"}}({Short("shape")}{shape}{Short("dtype")}{dtype}ub";
        var bytes = State(Eight, Dtype("u1", "\0"));
        var aligned = bytes[..^2] + Short("numpy_array_alignment_bytes") + "K\u0010ub";
        yield return ("a call after an array", Verdict.Malicious, [New, bytes, "N.......", "0", evil]);
        yield return ("a call after a padded array", Verdict.Malicious, [New, aligned, "\u0003\u00ff\u00ff\u00ff", "N.......", "0", evil]);
        yield return ("a call in an array of objects", Verdict.Malicious, [New, State(Eight, Dtype("O8", "?")), evil, "."]);
        yield return ("numbers that are a pickle to other loaders", Verdict.Malicious, [New, bytes.Replace(Eight, $"K{(char)evil.Length}\u0085", StringComparison.Ordinal), evil, "."]);
        yield return ("an array longer than the file", Verdict.Unknown, [New, State("J\u0000\u0000\u0000\u007f\u0085", Dtype("u1", "\0")), "N.......", "."]);
        yield return ("a shape that is called for", Verdict.Unknown, [New, State("cbuiltins\ntuple\n)R", Dtype("u1", "\0")), "N.......", "."]);
        yield return ("a key that is called for", Verdict.Unknown, [New, $"}}(cbuiltins\nstr\n{Short("shape")}\u0085RK\u0001\u0085", bytes[2..], "N.......", "."]);
        yield return ("numbers whose type says that they are objects", Verdict.Unknown, [New, State(Eight, Dtype("u1", "?")), "N.......", "."]);
        yield return ("a wrapper that its constructor fills", Verdict.Unknown, [New[..^2], ")R", bytes, "N.......", "."]);
        yield return ("a wrapper that another function makes", Verdict.Unknown, ["\u0080\u0003ctorch._tensor\n_rebuild_from_type_v2\n(", New[2..^2], "NNNtR", bytes, "N.......", "."]);
        yield return ("padding that comes and goes", Verdict.Unknown, [New, aligned, "\0N.......", "0", New[2..], bytes, "N.......", "."]);
        yield return ("a frame around an array", Verdict.Suspicious, ["\u0080\u0004\u0095\u00a0\0\0\0\0\0\0\0", New[2..], bytes, "N.......", "0N.", new string('N', 100)]);
    }

    private static IEnumerable<(string, byte[])> Carriers()
    {
        yield return ("plain bytes", [(byte)'B', .. BitConverter.GetBytes(Evil.Length), .. Evil]);
        yield return ("base64", Of("\u008c", ((char)Convert.ToBase64String(Evil).Length).ToString(), Convert.ToBase64String(Evil)));
        yield return ("hex", Of("\u008c", ((char)(Evil.Length * 2)).ToString(), Convert.ToHexStringLower(Evil)));
        yield return ("zlib", [(byte)'B', .. BitConverter.GetBytes(Zlib(Evil).Length), .. Zlib(Evil)]);
        yield return ("base64 of gzip in a line", Of($"S'{Convert.ToBase64String(Gzip(Evil))}'\n"));
        yield return ("a zip", [(byte)'B', .. BitConverter.GetBytes(Torch(Evil).Length), .. Torch(Evil)]);
    }

    private static IEnumerable<(string, byte[])> Compressed()
    {
        yield return ("zlib", Zlib(Evil));
        yield return ("gzip", Gzip(Evil));
        yield return ("bzip2", Bzip2(Evil));
        yield return ("lz4", Lz4(Evil));
        yield return ("zstd", Zstd(Evil));
        yield return ("xz", Convert.FromBase64String("/Td6WFoAAATm1rRGAgAhARYAAAB0L+WjAQAjY29zCnN5c3RlbQooUydlY2hvIHRlbXBlci1pbmVydCcKdFIuAFgMAwrAP9d4AAE8JAUodm8ftvN9AQAAAAAEWVo="));
        yield return ("lzma", Convert.FromBase64String("XQAAgAD//////////wAxm8rGsnxl39+RWZ+x1n4tC59c9MzotjNuVunmOsnTP6rhf/ayH1rtX/4QuAA="));
        yield return ("gzip in gzip", Gzip(Gzip(Evil)));
        yield return ("tar", Tar(("a.pkl", Evil, '0')));
        yield return ("7z", SevenZip("a.pkl", Evil));
        yield return ("rar", Rar("a.pkl", Evil));
        yield return ("zip in zip", Zip(("inner.zip", Zip(("a.pkl", Evil)))));
    }

    public static string Global(string full)
    {
        var dot = full.LastIndexOf('.');
        return $"c{full[..dot]}\n{full[(dot + 1)..]}\n";
    }

    private static Fixture One(string row, string title, string pickle) => new(row, title, Verdict.Malicious, ("file.pkl", Encoding.Latin1.GetBytes(pickle)));
}
