using static Temper.Scan.Tests.Corpus.Build;
using static Temper.Tests.PickleBytes;

namespace Temper.Scan.Tests.Corpus;

/// <summary>Rows Z1 to Z12 and Z15: containers about which readers disagree.</summary>
internal static class ContainerFixtures
{
    private const Verdict Bad = Verdict.Malicious;
    private const Verdict Odd = Verdict.Suspicious;
    private static readonly byte[] TorchMagic = [0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, (byte)'.'];
    private static readonly byte[] TorchProtocol = [0x80, 2, (byte)'M', 0xe9, 3, (byte)'.'];

    public static IEnumerable<Fixture> All()
    {
        yield return Raw("Z1", "two names", Odd, Data(None) with { LocalName = "archive/else.pkl" });
        yield return Raw("Z2", "encrypted by flag only", Odd, Data(None) with { Flags = 1 });
        yield return Raw("Z2", "patch flag", Odd, Data(None) with { Flags = 0x20, LocalFlags = 0x20 });
        yield return Raw("Z2", "encrypted by flag only, with a call", Bad, Data(Evil) with { Flags = 1, LocalFlags = 1 });
        yield return Raw("Z3", "wrong checksum", Odd, Data(None) with { CrcFlip = 1, LocalCrcFlip = 1 });
        yield return Raw("Z3", "two checksums", Odd, Data(None) with { LocalCrcFlip = 1 });
        yield return Raw("Z3", "wrong checksum on a call", Bad, Data(Evil) with { CrcFlip = 1, LocalCrcFlip = 1 });
        yield return new("Z4", "a call under an odd name", Bad, ("model.pt", Torch(None, ("archive/config.p", Evil))));
        yield return new("Z4", "a call in a storage", Bad, ("model.pt", Zip(("archive/data.pkl", None), ("archive/data/0", Evil))));
        yield return Raw("Z5", "a name twice", Odd, Data(None), Data(None));
        yield return Raw("Z5", "names that differ by case", Odd, Data(None), Data(None) with { Name = "archive/DATA.pkl" });
        yield return Raw("Z5", "a name above the folder", Odd, Data(None), new("../x", [1]));
        yield return Raw("Z5", "an absolute name", Odd, Data(None), new("/etc/x", [1]));
        yield return Raw("Z5", "a link", Odd, Data(None), new RawMember("x", Text("/etc/hostname")) { Link = true });
        yield return new("Z6", "junk first", Odd, ("model.pt", new RawZip { Members = [Data(None)], Prefix = [0x89, (byte)'P', (byte)'N', (byte)'G', 1, 2, 3, 4] }.Bytes()));
        yield return new("Z6", "a pickle first", Bad, ("model.pt", new RawZip { Members = [Data(None)], Prefix = Evil }.Bytes()));
        yield return new("Z6", "junk last", Odd, ("model.pt", new RawZip { Members = [Data(None)], Suffix = [1, 2, 3, 4, 5] }.Bytes()));
        yield return new("Z6", "a hidden member", Bad, ("model.pt", new RawZip { Members = [Data(None), new RawMember("archive/x.pkl", Evil) { Listed = false }] }.Bytes()));
        yield return new("Z6", "zip in zip", Bad, ("model.zip", Zip(("a.zip", Torch(Evil)))));
        yield return new("Z6", "a lying directory", Odd, ("model.pt", new RawZip { Members = [Data(None)], LieDirectory = 1000 }.Bytes()));
        yield return new("Z6", "a zip64 record that lies", Odd, ("model.pt", Zip64(Torch(None), 1L << 50)));
        yield return Raw("Z7", "a bomb", Odd, Data(None), new RawMember("archive/data/0", new byte[4 << 20]) { Deflate = true });
        yield return Raw("Z7", "members that share bytes", Odd, Data(None), new RawMember("archive/x", None) { SameAs = 0 });
        yield return new("Z7", "nested deeper than the limit", Verdict.Unknown, ("model.zip", Enumerable.Range(0, 8).Aggregate(None, (inner, _) => Zip(("a.zip", inner)))));
        yield return new("Z8", "7z", Bad, ("pytorch_model.bin", SevenZip("data.pkl", Evil)));
        yield return new("Z8", "7z of nothing bad", Odd, ("pytorch_model.bin", SevenZip("data.pkl", None)));
        yield return new("Z8", "rar", Bad, ("pytorch_model.bin", Rar("data.pkl", Evil)));
        yield return new("Z7", "xz with a dictionary of four gigabytes", Odd, ("model.pt", Xz(40)));
        yield return new("Z8", "rar 5", Bad, ("pytorch_model.bin", Rar5("data.pkl", Evil)));
        yield return new("Z8", "rar 5 with a dictionary of gigabytes", Odd, ("pytorch_model.bin", Rar5("data.pkl", None, dictionary: 15)));
        yield return new("Z8", "7z of more files than its header has bytes", Odd, ("pytorch_model.bin", SevenZip("data.pkl", None, files: [0xe0, 0xff, 0xff, 0xff])));
        yield return new("Z8", "tar", Bad, ("model.pt", Tar(("data.pkl", Evil, '0'))));
        yield return new("Z8", "gzip", Bad, ("model.pt", Gzip(Torch(Evil))));
        yield return new("Z8", "a link in a tar", Odd, ("model.tar", Tar(("x", [], '2'))));
        yield return new("Z9", "legacy torch with a call", Bad, ("model.pt", [.. TorchMagic, .. TorchProtocol, .. None, .. Evil, .. None]));
        yield return new("Z9", "the magic number from a call", Bad, ("model.pt", [.. Of("c__builtin__\nint\n(V119547037146038801333356\ntR."), .. TorchProtocol, .. None, .. None, .. None]));
        yield return new("Z10", "TorchScript that saves files", Odd, ("model.pt", Torch(None, ("archive/constants.pkl", None), ("archive/code/__torch__.py", Text("def forward(self):\n  torch.save(self, 'x')\n")))));
        yield return new("Z10", "constants that call", Bad, ("model.pt", Torch(None, ("archive/constants.pkl", Evil))));
        yield return new("Z10", "extra that calls", Bad, ("model.pt", Torch(None, ("archive/extra/a", Evil))));
        yield return new("Z11", "the tar of 2016", Odd, ("model.pt", Tar(("pickle", None, '0'), ("storages", None, '0'), ("tensors", None, '0'))));
        yield return new("Z11", "the tar of 2016 with a call", Bad, ("model.pt", Tar(("pickle", None, '0'), ("storages", Evil, '0'), ("tensors", None, '0'))));
        yield return new("Z11", "items set on an import", Bad, ("model.pt", Torch(Of("\u0080\u0002ctorch._utils\n_rebuild_tensor_v2\nS'x'\nNs."))));
        yield return new("Z11", "items written into a tensor", Odd, ("model.pt", Torch(Of("\u0080\u0002ctorch._utils\n_rebuild_tensor_v2\n(tRS'x'\nNs."))));
        yield return new("Z11", "a storage shorter than its promise", Odd, ("model.pt", Torch(Of("\u0080\u0002(X\u0007\0\0\0storagectorch\nFloatStorage\nX\u0001\0\0\00X\u0003\0\0\0cpuM\u0000\u0010tQ."))));
        yield return new("Z12", "an array of objects", Bad, ("data.npy", Npy("'|O'", "(1,)", Evil)));
        yield return new("Z12", "an array of objects without a call", Odd, ("data.npy", Npy("'|O'", "(1,)", None)));
        yield return new("Z12", "objects among fields", Odd, ("data.npy", Npy("[('a', '<f4'), ('b', '|O')]", "(1,)", None)));
        yield return new("Z12", "numbers by its header, a pickle by its data", Bad, ("data.npy", Npy("'<f4'", "(1,)", Evil)));
        yield return new("Z12", "in an npz", Bad, ("data.npz", Zip(("a.npy", Npy("'|O'", "(1,)", Evil)))));
        yield return new("Z15", "a Hydra target", Bad, ("model_config.yaml", Text("model:\n  _target_: subprocess.Popen\n  args: [echo, temper-inert]\n")));
        yield return new("Z15", "a callable in a skops schema", Bad, ("model.skops", Zip(("schema.json", Text("""{"__class__":"methodcaller","__module__":"operator","__loader__":"OperatorFuncNode","content":{}}""")))));
        yield return new("Z15", "a skops-like schema of unknown names", Odd, ("schema.json", Text("""{"_target_":"some.module.load"}""")));
    }

    // The directory's place moves into a zip64 record.
    private static byte[] Zip64(byte[] zip, long offset)
    {
        var end = zip[^22..];
        byte[] record = [.. "PK\x06\x06"u8, .. BitConverter.GetBytes(44L), 45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0, .. BitConverter.GetBytes(4L), .. BitConverter.GetBytes(4L), .. BitConverter.GetBytes((long)BitConverter.ToUInt32(end, 12)), .. BitConverter.GetBytes(offset)];
        byte[] locator = [.. "PK\x06\x07"u8, 0, 0, 0, 0, .. BitConverter.GetBytes(zip.LongLength - 22), 1, 0, 0, 0];
        end.AsSpan(8, 12).Fill(0xff);
        return [.. zip[..^22], .. record, .. locator, .. end];
    }

    // An xz file of one small block, whose header asks for a dictionary of this size.
    private static byte[] Xz(byte dictionary)
    {
        var file = Convert.FromBase64String("/Td6WFoAAATm1rRGAgAhARYAAAB0L+WjAQAjY29zCnN5c3RlbQooUydlY2hvIHRlbXBlci1pbmVydCcKdFIuAFgMAwrAP9d4AAE8JAUodm8ftvN9AQAAAAAEWVo=");
        file[16] = dictionary;
        BitConverter.TryWriteBytes(file.AsSpan(20), Temper.Formats.Bytes.Crc32.Compute(file.AsSpan(12, 8)));
        return file;
    }

    private static RawMember Data(byte[] pickle) => new("archive/data.pkl", pickle);

    private static Fixture Raw(string row, string title, Verdict expected, params RawMember[] members) => new(row, title, expected, ("model.pt", new RawZip { Members = members }.Bytes()));
}
