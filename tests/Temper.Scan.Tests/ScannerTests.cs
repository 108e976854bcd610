using System.IO.Compression;
using System.Text.Json;
using Temper.Formats.Bytes;
using Temper.Scan.Artifacts;
using Temper.Scan.Reports;
using Temper.Tests;
using static Temper.Tests.PickleBytes;

namespace Temper.Scan.Tests;

public sealed class ScannerTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("temper-scan").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("cos\nsystem\n(S'inert'\ntR.")]
    [InlineData("cnt\nsystem\n(S'inert'\ntR\u00ff")]
    [InlineData("(S'inert'\nios\nsystem\n.")]
    [InlineData("\u0080\u0002c__builtin__\neval\n(S'inert'\ntR.")]
    [InlineData("\u0080\u0002ccommands\ngetoutput\n(S'inert'\ntR.")]
    [InlineData("\u0080\u0004csite\nos.system\n(S'inert'\ntR.")]
    [InlineData("\u0080\u0004cnumpy\nndarray.__class__\n.")]
    [InlineData("cpkgutil\nresolve_name\n(S'inert'\ntR.")]
    [InlineData("coperator\nattrgetter\n(S'inert'\ntR.")]
    [InlineData("cfunctools\npartial\n(S'inert'\ntR.")]
    [InlineData("ctorch.storage\n_load_from_bytes\n(C\u0001xtR.")]
    [InlineData("ctypes\nCodeType\n.")]
    [InlineData("csys\nmodules\nS'inert'\nNs.")]
    [InlineData("ccollections\nOrderedDict\nS'inert'\nNs.")]
    [InlineData("N.N.csubprocess\nPopen\n.")]
    public void Dangerous_pickles_are_malicious(string pickle) => Assert.Equal(Verdict.Malicious, Scan(Of(pickle)).Verdict);

    [Theory]
    [InlineData("ccollections\nOrderedDict\n)R.", Verdict.Clean)]
    [InlineData("\u0080\u0004N.", Verdict.Clean)]
    [InlineData("cmod\nname\n)R.", Verdict.Suspicious)]
    [InlineData("csklearn.svm._classes\nSVC\n)\u0081.", Verdict.Clean)]
    [InlineData("csklearn.svm._classes\nSVC\n)R.", Verdict.Unknown)]
    [InlineData("ccopy_reg\n_reconstructor\n(csklearn.svm._classes\nSVC\nc__builtin__\nobject\nNtR.", Verdict.Clean)]
    [InlineData("ccopy_reg\n_reconstructor\n(csklearn.svm._classes\nSVC\ncsklearn.svm._classes\nSVC\nNtR.", Verdict.Suspicious)]
    [InlineData("c_codecs\nencode\n(Vx\nVlatin1\ntR.", Verdict.Clean)]
    [InlineData("c_codecs\nencode\n(Vx\nVrot13\ntR.", Verdict.Suspicious)]
    [InlineData("c__builtin__\nbytearray\n(J\u0000\u0000\u0000\u007ftR.", Verdict.Suspicious)]
    [InlineData("\u0080\u0004N", Verdict.Unknown)]
    [InlineData("cat\ndog\nRabbit\n", Verdict.Unknown)]
    [InlineData("GGUF\u0003", Verdict.Suspicious)]
    [InlineData("\u001f\u008b\u0008", Verdict.Suspicious)]
    [InlineData("", Verdict.Unknown)]
    public void Others_get_what_is_known_of_them(string bytes, Verdict verdict) => Assert.Equal(verdict, Scan(Of(bytes)).Verdict);

    [Fact]
    public void Progress_counts_every_file_and_every_byte()
    {
        for (var i = 0; i < 5; i++)
        {
            File.WriteAllBytes(Path.Combine(_folder, $"{i}.pkl"), [.. "N."u8]);
        }

        var seen = new List<ScanProgress>();
        Scanner.Scan([_folder], new ScanOptions { Progress = seen.Add }, TestContext.Current.CancellationToken);

        Assert.Equal(Enumerable.Range(1, 5).Select(n => new ScanProgress(n, 5, 2 * n, 10)), seen);
    }

    [Fact]
    public void A_scan_of_many_files_that_is_canceled_ends_as_canceled_and_not_as_broken()
    {
        File.WriteAllBytes(Path.Combine(_folder, "0.pkl"), [.. "N."u8]);
        for (var i = 1; i < 5; i++)
        {
            File.WriteAllBytes(Path.Combine(_folder, $"{i}.pkl"), [.. Enumerable.Repeat((byte)'N', 5_000_000), (byte)'.']);
        }

        using var stop = new CancellationTokenSource();

        Assert.Throws<OperationCanceledException>(() => Scanner.Scan([_folder], new ScanOptions { Jobs = 4, Progress = _ => stop.Cancel() }, stop.Token));
    }

    [Fact]
    public void Members_of_archives_are_scanned_and_named()
    {
        var evil = Of("cos\nsystem\n(S'inert'\ntR.");
        var inner = Zip(("model/data.pkl", Of("\u0080\u0002}.")), ("model/data/0", evil));
        var report = Scan(Zip(("a.zip", inner)));

        Assert.Equal(Verdict.Malicious, report.Verdict);
        Assert.Equal(Verdict.Malicious, report.Files[0].Verdict);
        var member = Assert.Single(report.Files, f => f.Path.EndsWith("file.bin!a.zip!model/data/0", StringComparison.Ordinal));
        Assert.Contains(member.Findings, f => f.Location.Contains("!a.zip!model/data/0@", StringComparison.Ordinal));
        Assert.Equal(Verdict.Clean, Scan(Zip(("model/data.pkl", Of("\u0080\u0002}.")))).Verdict);
        Assert.Equal(Verdict.Malicious, Scan([.. evil, .. inner]).Verdict);
    }

    [Fact]
    public void Reports_escape_what_the_file_wrote()
    {
        var report = Scan(Of("cmod\u001b[2J\nname\n)R."));
        var text = TextReport.Write(report);
        using var json = JsonDocument.Parse(JsonReport.Write(report));

        Assert.DoesNotContain('\u001b', text);
        Assert.All(text.Split('\n'), line => Assert.True(line.Length <= 80, line));
        Assert.Equal(1, json.RootElement.GetProperty("schemaVersion").GetInt32());
        Assert.Equal("suspicious", json.RootElement.GetProperty("summary").GetProperty("verdict").GetString());
    }

    [Fact]
    public void Links_out_of_the_folder_are_not_followed()
    {
        var inside = Directory.CreateDirectory(Path.Combine(_folder, "in")).FullName;
        File.WriteAllBytes(Path.Combine(_folder, "out.pkl"), Of("cos\nsystem\n."));
        File.CreateSymbolicLink(Path.Combine(inside, "link.pkl"), Path.Combine(_folder, "out.pkl"));

        var report = Scanner.Scan([inside], new ScanOptions(), TestContext.Current.CancellationToken);

        Assert.Equal(("link", ScanStatus.Inconclusive), (report.Files[0].Format, report.Files[0].Status));
    }

    [Fact]
    public void A_missing_file_is_an_error_and_not_clean()
    {
        var report = Scanner.Scan([Path.Combine(_folder, "absent")], new ScanOptions(), TestContext.Current.CancellationToken);

        Assert.Equal((ScanStatus.Error, Verdict.Unknown), (report.Status, report.Verdict));
    }

    [Theory]
    [InlineData(0, Verdict.Unknown)]
    [InlineData(1 << 20, Verdict.Malicious)]
    [InlineData((6 << 20) - 1, Verdict.Malicious)]
    public void A_file_that_is_cut_while_it_is_scanned_is_inconclusive_and_what_was_found_before_stays(int left, Verdict verdict)
    {
        var path = Path.Combine(_folder, "file.pkl");
        File.WriteAllBytes(path, [.. Of("cos\nsystem\n(S'inert'\ntR0"), .. Enumerable.Repeat("N0"u8.ToArray(), 3 << 20).SelectMany(b => b), .. "N."u8]);
        using var bytes = ByteSource.Open(path);
        using (var other = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            other.SetLength(left);
        }

        var report = ArtifactScan.File(path, bytes, new ScanOptions(), TestContext.Current.CancellationToken)[0];

        Assert.Equal(ScanStatus.Inconclusive, report.Status);
        Assert.Contains(report.Findings, f => f.RuleId == "file.changed");
        Assert.Equal(verdict, report.Verdict);
    }

    [Fact]
    public void Nothing_incomplete_is_clean() =>
        Assert.All(Enum.GetValues<ScanStatus>(), s => Assert.True(s == ScanStatus.Complete || FileReport.From("f", "x", s, []).Verdict > Verdict.Clean));

    private ScanReport Scan(byte[] bytes)
    {
        var path = Path.Combine(_folder, "file.bin");
        File.WriteAllBytes(path, bytes);
        return Scanner.Scan([path], new ScanOptions(), TestContext.Current.CancellationToken);
    }

    [Fact]
    public void A_zip_with_a_member_that_no_rule_judged_is_never_clean() =>
        Assert.Equal(Verdict.Unknown, Scan(Zip(("a/data.pkl", Of("\u0080\u0004N.")), ("a/other.bin", [0, 1, 2, 3, 0xff]))).Verdict);

    [Fact]
    public void A_torch_zip_of_a_harmless_pickle_and_raw_storages_is_clean() =>
        Assert.Equal(Verdict.Clean, Scan(Zip(("a/data.pkl", Of("\u0080\u0004N.")), ("a/data/0", new byte[64]), ("a/version", "3\n"u8.ToArray()))).Verdict);

    [Fact]
    public void Safetensors_are_clean_with_their_structure_in_order_and_suspicious_otherwise()
    {
        byte[] good = [.. BitConverter.GetBytes(56L), .. """{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}  """u8, 0, 0, 0, 0];

        Assert.Equal(Verdict.Clean, Scan(good).Verdict);
        Assert.Equal(Verdict.Suspicious, Scan(good[..^1]).Verdict);
        Assert.Equal(ScanStatus.Inconclusive, Scan(good[..^1]).Status);
    }

    private static byte[] Zip(params (string Name, byte[] Bytes)[] members)
    {
        using var stream = new MemoryStream();
        using (var archive = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var (name, bytes) in members)
            {
                using var entry = archive.CreateEntry(name, CompressionLevel.NoCompression).Open();
                entry.Write(bytes);
            }
        }

        return stream.ToArray();
    }
}
