using static Temper.Scan.Tests.Corpus.Build;

namespace Temper.Scan.Tests.Corpus;

/// <summary>Row Z13: Keras, in JSON, in its zip format, and in HDF5 files that h5py wrote in the oldest and the newest layout of the format.</summary>
internal static class KerasFixtures
{
    private const Verdict Bad = Verdict.Malicious;
    private const Verdict Odd = Verdict.Suspicious;
    private const string Lambda = """{"class_name":"Sequential","config":{"layers":[{"class_name":"Lambda","config":{"function":["4wE=",null,null]}}]}}""";
    private const string Dense = """{"module":"keras","class_name":"Sequential","config":{"layers":[{"module":"keras.layers","class_name":"Dense","config":{"units":2,"activation":"relu"},"registered_name":null},{"module":"keras.layers","class_name":"StringLookup","config":{"vocabulary":["a"],"num_oov_indices":1}}]}}""";

    public static IEnumerable<Fixture> Benign() =>
    [
        new("", "keras", Verdict.Clean, ("model.keras", Keras(Dense, Hdf5("good-latest-vlen")))),
        new("", "keras config", Verdict.Clean, ("config.json", Text("""{"module":"keras.src.models.functional","class_name":"Functional","config":{"layers":[{"class_name":"TFOpLambda","config":{"function":"math.add"}},{"module":"builtins","class_name":"function","config":"relu"}]}}"""))),
        .. Files().Where(f => f.Verdict == Verdict.Clean).Select(f => new Fixture("", f.Name, Verdict.Clean, ("model.h5", f.Bytes))),
    ];

    public static IEnumerable<Fixture> All()
    {
        yield return Config("a lambda", Bad, Lambda);
        yield return Config("a lambda of Keras 3", Bad, """{"class_name":"__lambda__","config":{"value":"4wE="}}""");
        yield return Config("a module", Bad, """{"module":"subprocess","class_name":"Popen","config":{}}""");
        yield return Config("a module of nobody knows whom", Odd, """{"module":"my.layers","class_name":"Mine","config":{}}""");
        yield return Config("a module that only begins like Keras", Odd, """{"module":"keras_evil","class_name":"Mine","config":{}}""");
        yield return Config("a function of a module", Bad, """{"module":"os","class_name":"function","config":"system"}""");
        yield return Config("a built-in function", Bad, """{"module":"builtins","class_name":"function","config":"eval"}""");
        yield return Config("a download by Keras itself", Bad, """{"module":"keras.utils","class_name":"function","config":"get_file"}""");
        yield return Config("safe mode switched off", Bad, """{"module":"keras.config","class_name":"function","config":"enable_unsafe_deserialization"}""");
        yield return Config("a model within", Bad, """{"module":"keras.models","class_name":"load_model","config":"x"}""");
        yield return Config("a torch module", Bad, """{"module":"keras.layers","class_name":"TorchModuleWrapper","config":{"module":"gAIu"}}""");
        yield return Config("an operation that writes", Bad, """{"class_name":"TFOpLambda","config":{"function":"io.write_file"}}""");
        yield return Config("a vocabulary that is a file of this computer", Bad, """{"module":"keras.layers","class_name":"StringLookup","config":{"vocabulary":"/etc/hostname"}}""");
        yield return Config("a vocabulary from the network", Bad, """{"module":"keras.layers","class_name":"TextVectorization","config":{"vocabulary":"http://127.0.0.1/v"}}""");
        yield return Config("a vocabulary that is a file", Odd, """{"module":"keras.layers","class_name":"StringLookup","config":{"vocabulary":"v.txt","num_oov_indices":1}}""");
        yield return new("Z13", "a lambda in the zip format", Bad, ("model.keras", Keras(Lambda, Hdf5("good-latest-vlen"))));
        yield return new("Z13", "weights of the zip format that lie elsewhere", Bad, ("model.keras", Keras(Dense, Hdf5("extdata-earliest"))));
        yield return new("Z13", "an HDF5 file that ends after its signature", Verdict.Unknown, ("model.h5", [0x89, (byte)'H', (byte)'D', (byte)'F', 13, 10, 26, 10, 0, 0, 0, 0]));
        foreach (var (name, verdict, bytes) in Files().Where(f => f.Verdict > Verdict.Clean))
        {
            yield return new("Z13", $"HDF5, {name}", verdict, ("model.h5", bytes));
        }

        yield return new("Z13", "HDF5, cut", Verdict.Unknown, ("model.h5", Hdf5("good-earliest-vlen")[..1500]));
        yield return new("Z13", "HDF5, a configuration that does not parse", Verdict.Unknown, ("model.h5", Replaced("good-earliest-vlen", "\"class_name\": \"Sequential\"", "\"class_name\": !Sequential!")));
        yield return new("Z13", "HDF5, a tree that leads back to itself", Verdict.Unknown, ("model.h5", Loop(Hdf5("good-earliest-vlen"))));
    }

    private static byte[] Keras(string config, byte[] weights) => Zip(("metadata.json", Text("""{"keras_version":"3.0.0"}""")), ("config.json", Text(config)), ("model.weights.h5", weights));

    private static byte[] Hdf5(string name) => Files().First(f => f.Name == name).Bytes;

    // The first child of every node of a group's tree becomes the node itself.
    private static byte[] Loop(byte[] file)
    {
        for (var at = file.AsSpan().IndexOf("TREE"u8); at >= 0; at = file.AsSpan(at + 4).IndexOf("TREE"u8) is >= 0 and var next ? at + 4 + next : -1)
        {
            file[at + 5] = 1;
            BitConverter.TryWriteBytes(file.AsSpan(at + 32), (long)at);
        }

        return file;
    }

    private static byte[] Replaced(string name, string old, string by)
    {
        var file = Hdf5(name);
        Text(by).CopyTo(file, file.AsSpan().IndexOf(Text(old)));
        return file;
    }

    private static IEnumerable<(string Name, Verdict Verdict, byte[] Bytes)> Files() => File.ReadAllLines(Path.Combine(ScorecardTests.Root(), "tests", "Temper.Scan.Tests", "Corpus", "hdf5-files.txt"))
        .Select(l => l.Split(' ')).Select(p => (p[0], Enum.Parse<Verdict>(p[1]), Gunzip(Convert.FromBase64String(p[2]))));

    private static Fixture Config(string title, Verdict expected, string json) => new("Z13", title, expected, ("config.json", Text(json)));
}
