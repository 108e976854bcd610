using static Temper.Scan.Tests.Corpus.Proto;

namespace Temper.Scan.Tests.Corpus;

/// <summary>Rows Z14 and Z15: ONNX and TensorFlow.</summary>
internal static class GraphFixtures
{
    private const Verdict Bad = Verdict.Malicious;
    private const Verdict Odd = Verdict.Suspicious;
    private static readonly byte[] Relu = Node("Relu", "");
    private static readonly byte[] Identity = Op("identity", "Identity", "x");
    private static readonly byte[] SaverNodes = [.. Op("saver_filename", "Placeholder"), .. Call("save", "traced_save", "saver_filename"), .. Call("restore", "traced_restore", "saver_filename")];

    /// <summary>Graphs as exporters write them.</summary>
    public static IEnumerable<Fixture> Benign() =>
    [
        new("", "onnx", Verdict.Clean, ("model.onnx", Model(Relu, Tensor(4), Node("FastGelu", "com.microsoft")))),
        new("", "onnx with its weights beside it", Verdict.Clean, ("model.onnx", Model(Relu, Bytes(5, Elsewhere("weights.npy", ("offset", "0"), ("length", "4"))))), ("weights.npy", Build.Npy("'<f4'", "(1,)", new byte[4]))),
        new("", "onnx with functions", Verdict.Clean, ("model.onnx", [.. Model(Node("selu", "pkg.layers")), .. Bytes(25, String(1, "selu"), String(10, "pkg.layers"), Bytes(7, String(4, "Relu")))])),
        new("", "saved model", Verdict.Clean, ("saved_model.pb", SavedModel([.. SaverNodes, .. Call("serve", "inference", "x"), .. SavingFunctions], Saver("save:0", "restore")))),
        new("", "saved model of TensorFlow 1", Verdict.Clean, ("saved_model.pb", SavedModel([.. Identity, .. Op("c", "Const"), .. Op("s/Save", "SaveV2", "c"), .. Op("s/dep", "Identity", "c", "^s/Save"), .. Op("s/Restore", "RestoreV2", "c"), .. Op("s/all", "NoOp", "^s/Restore")], Saver("s/dep:0", "s/all")))),
        new("", "frozen graph", Verdict.Clean, ("frozen.pb", [.. Op("x", "Placeholder"), .. Identity])),
    ];

    private static byte[] SavingFunctions => Library(Function("traced_save", "SaveV2", "MergeV2Checkpoints"), Function("traced_restore", "RestoreV2"), Function("inference", "MatMul"));

    public static IEnumerable<Fixture> All()
    {
        foreach (var (title, location) in ((string, string)[])[("above the folder", "../../etc/hostname"), ("at an absolute place", "/etc/hostname"), ("on a drive", "C:\\hostname"), ("on the network", "http://127.0.0.1/w"), ("above the folder by a detour", "a/../../w")])
        {
            yield return Onnx($"weights {title}", Bad, Model(Relu, Bytes(5, Elsewhere(location))));
        }

        var far = Elsewhere("../w");
        yield return Onnx("far weights in a graph within a node", Bad, Model(Node("If", "", Bytes(6, Bytes(5, far)))));
        yield return Onnx("far weights in a tensor within a node", Bad, Model(Node("Constant", "", Bytes(5, far))));
        yield return Onnx("far weights among several tensors", Bad, Model(Node("Constant", "", Bytes(10, far))));
        yield return Onnx("far weights in a sparse tensor", Bad, Model(Relu, Bytes(15, Bytes(1, far))));
        yield return Onnx("far weights in a training graph", Bad, [.. Model(Relu), .. Bytes(20, Bytes(2, Bytes(5, far)))]);
        yield return Onnx("far weights in a function", Bad, [.. Model(Relu), .. Bytes(25, String(1, "f"), String(10, "d"), Bytes(7, String(4, "Constant"), Bytes(5, String(1, "v"), Bytes(5, far))))]);
        yield return Onnx("far weights behind unknown fields", Bad, [.. Bytes(5000, [1, 2, 3]), .. Number(5001, 7), .. Model(Bytes(5000, [1]), Relu, Bytes(5, far))]);
        yield return Onnx("far weights in the second of two locations", Bad, Model(Relu, Bytes(5, Elsewhere("w", ("location", "../w")))));
        yield return Onnx("weights in a file that is not there", Verdict.Unknown, Model(Relu, Bytes(5, Elsewhere("w"))));
        yield return new("Z14", "weights beyond the end of their file", Odd, ("model.onnx", Model(Relu, Bytes(5, Elsewhere("w.txt", ("offset", "2"), ("length", "4"))))), ("w.txt", "data"u8.ToArray()));
        yield return Onnx("a key that becomes an attribute", Odd, Model(Relu, Bytes(5, Elsewhere("model.onnx", ("__class__", "x")))));
        yield return Onnx("Python", Bad, Model(Node("PyOp", "", String(4, "module"))));
        yield return Onnx("operators of a library", Odd, Model(Node("Run", "evil.ops")));
        yield return Onnx("a standard operator redefined", Odd, [.. Model(Relu), .. Bytes(25, String(1, "Relu"), Bytes(7, String(4, "Exp")))]);
        yield return Onnx("a tensor with too little data", Odd, Model(Relu, Tensor(3)));
        yield return Onnx("a tensor of more elements than there are numbers", Odd, Model(Relu, Bytes(5, Number(1, 1UL << 40), Number(1, 1UL << 40), Number(2, 1), String(8, "w"))));
        yield return Onnx("a tensor of negative size", Odd, Model(Relu, Bytes(5, Bytes(1, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]), Number(2, 1), String(8, "w"))));
        yield return Onnx("cut", Verdict.Unknown, Model(Relu, Tensor(4))[..^20]);
        yield return Onnx("graphs within graphs", Verdict.Unknown, Model(Enumerable.Range(0, 200).Aggregate(Relu, (inner, _) => Node("If", "", Bytes(6, inner)))));

        foreach (var op in (string[])["ReadFile", "WriteFile", "PyFunc", "PyFuncStateless", "EagerPyFunc"])
        {
            yield return Tf($"{op} in the graph", Bad, SavedModel([.. Identity, .. Op("x", op)]));
            yield return Tf($"{op} in a function", Bad, SavedModel([.. Call("serve", "f"), .. Library(Function("f", "MatMul", op))]));
        }

        yield return Tf("WriteFile in a frozen graph", Bad, [.. Identity, .. Op("x", "WriteFile")], "frozen.pb");
        yield return Tf("WriteFile in a meta graph", Bad, [.. Bytes(1, String(4, "serve")), .. Bytes(2, Identity, Op("x", "WriteFile"))], "model.meta");
        yield return Tf("a library of functions alone", Bad, SavedModel(Library(Function("f", "MatMul", "WriteFile"))));
        yield return Tf("the second of two graphs", Bad, [.. SavedModel(Identity), .. Bytes(2, Bytes(2, Op("x", "ReadFile")))]);
        yield return Tf("checkpoints written by the graph", Odd, SavedModel([.. Identity, .. Op("x", "SaveV2")]));
        yield return Tf("checkpoints moved by a function", Odd, SavedModel([.. SaverNodes, .. Call("serve", "f", "x"), .. Library(Function("f", "MergeV2Checkpoints"))], Saver("save:0", "restore")));
        yield return Tf("the saver's function called by a signature", Odd, SavedModel([.. SaverNodes, .. Call("serve", "traced_save", "x"), .. SavingFunctions], Saver("save:0", "restore")));
        yield return Tf("a listing of files", Odd, SavedModel([.. Identity, .. Op("x", "MatchingFiles")]));
        yield return Tf("printing into a file", Bad, SavedModel([.. Identity, .. Op(1, "p", "PrintV2", [], Attribute("output_stream", String(2, "file:///tmp/temper-inert")))]));
        yield return Tf("an asset above the folder", Bad, SavedModel(Identity, Bytes(6, Bytes(1, String(1, "x")), String(2, "../../vocab"))));
        yield return Tf("operations of a library", Verdict.Unknown, SavedModel([.. Identity, .. Op("x", "Addons>Run")]));
        yield return Tf("cut", Verdict.Unknown, SavedModel([.. Identity, .. Op("x", "MatMul")])[..^4]);
        const string Lambda = """{"class_name":"Lambda","config":{"function":{"class_name":"__tuple__","items":["4wE=",null,null]}}}""";
        yield return Tf("a Keras lambda among the objects", Bad, SavedModel(Identity, Bytes(7, Bytes(1, Bytes(4, String(1, "_tf_keras_layer"), String(3, Lambda))))));
        yield return Tf("a Keras lambda in the metadata", Bad, Bytes(1, Number(2, 1), String(3, "root.layer"), String(4, "_tf_keras_layer"), String(5, Lambda)), "keras_metadata.pb");
    }

    private static byte[] Tensor(int bytes) => Bytes(5, Number(1, 1), Number(2, 1), String(8, "w"), Bytes(9, new byte[bytes]));

    private static Fixture Onnx(string title, Verdict expected, byte[] bytes) => new("Z14", title, expected, ("model.onnx", bytes));

    private static Fixture Tf(string title, Verdict expected, byte[] bytes, string name = "saved_model.pb") => new("Z15", title, expected, (name, bytes));
}
