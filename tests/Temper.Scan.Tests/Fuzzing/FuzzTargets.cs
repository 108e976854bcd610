using System.Security.Cryptography;
using Temper.Core;
using Temper.Formats.Bytes;
using Temper.Formats.Pickle;
using Temper.Formats.SafeTensors;
using Temper.Scan.Adapters;
using Temper.Scan.Artifacts;
using Temper.Scan.Provenance;
using Temper.Scan.Reports;
using Temper.Scan.Tests.Corpus;

namespace Temper.Scan.Tests.Fuzzing;

/// <summary>The ways in which bytes of strangers reach a reader. What comes back is what went wrong; null is as it should be.</summary>
internal sealed class FuzzTargets : IDisposable
{
    private static readonly ScanOptions Options = new()
    {
        MaxBytes = 1 << 22, MaxUnpackedBytes = 1 << 24, MaxMembers = 1000, Jobs = 1,
        Pickle = new PickleBudget { Steps = 200_000, StackDepth = 10_000, MemoSize = 10_000, Events = 1000 },
    };

    private readonly string _folder = Directory.CreateTempSubdirectory("temper-fuzz").FullName;
    private readonly string _bundle;
    private readonly string _key;

    public FuzzTargets()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var signed = Directory.CreateDirectory(Path.Combine(_folder, "signed")).FullName;
        File.WriteAllText(Path.Combine(signed, "config.json"), "{}");
        _key = key.ExportSubjectPublicKeyInfoPem();
        _bundle = ModelSignature.Create(signed, key.ExportPkcs8PrivateKeyPem(), [], CancellationToken.None);
    }

    /// <summary>How many inputs were of each format, as far as that was recognized.</summary>
    public SortedDictionary<string, long> Formats { get; } = new(StringComparer.Ordinal);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>Every reader of files, on bytes in memory.</summary>
    public string? File_in_memory(string name, byte[] bytes, CancellationToken cancellation) => Fault(Scan(name, ByteSource.Of(bytes), cancellation).Reports(), count: true);

    /// <summary>The same, on a file that is read in small parts: the report must be the same.</summary>
    public string? File_in_parts(string name, byte[] bytes, CancellationToken cancellation)
    {
        var path = Path.Combine(_folder, "parts");
        File.WriteAllBytes(path, bytes);
        using var source = ByteSource.Open(path, whole: 0, chunk: 600);
        var (parts, whole) = (Scan(name, source, cancellation).Reports(), Scan(name, ByteSource.Of(bytes), cancellation).Reports());
        var (a, b) = (JsonReport.Write(new(parts)), JsonReport.Write(new(whole)));
        return a == b ? Fault(parts, count: false) : $"read in parts:\n{a}\nread at once:\n{b}";
    }

    /// <summary>A folder as a whole, beside a base and a cohort.</summary>
    public string? Folder(Fixture fixture, string name, byte[] bytes, CancellationToken cancellation)
    {
        var tuned = Path.Combine(_folder, "tuned");
        Directory.CreateDirectory(tuned);
        fixture.Write(tuned);
        File.WriteAllBytes(Path.Combine(tuned, name), bytes);
        var report = Scanner.Scan([tuned], Options with { BaseFolder = tuned, Cohort = new AdapterCohort([]) }, cancellation);
        var fault = Fault(report.Files, count: false);
        _ = (TextReport.Write(report), MarkdownReport.Write(report), HtmlReport.Write(report, [tuned]), SarifReport.Write(report, tuned));
        Directory.Delete(tuned, recursive: true);
        return fault;
    }

    /// <summary>Readers outside the scan of a file, which may refuse with a message and nothing else.</summary>
    public string? Other(Mutator mutator, Random random, byte[] bytes)
    {
        var path = Path.Combine(_folder, "other");
        try
        {
            switch (random.Next(5))
            {
                case 0:
                    File.WriteAllBytes(path, bytes);
                    using (var file = SafeTensorsFile.Open(path))
                    {
                        foreach (var tensor in file.Tensors)
                        {
                            _ = file.Copy(tensor);
                        }
                    }

                    break;
                case 1:
                    File.WriteAllBytes(path, mutator.Mutate(Build.Text(JsonReport.Write(Scanner.Scan([_folder], Options, CancellationToken.None)))));
                    _ = Baseline.Read(path);
                    break;
                case 2:
                    File.WriteAllBytes(path, mutator.Mutate("{\"schemaVersion\":1,\"adapters\":[{\"path\":\"a\",\"base\":\"b\",\"modules\":[]}]}"u8.ToArray()));
                    _ = AdapterCohort.Read(path, CancellationToken.None);
                    break;
                case 3:
                    _ = ModelSignature.Verify(Path.Combine(_folder, "signed"), Latin(mutator.Mutate(Build.Text(_bundle))), _key, [], CancellationToken.None);
                    break;
                default:
                    using (SigningKey.Read(Latin(mutator.Mutate(Build.Text(_key)))))
                    {
                    }

                    break;
            }
        }
        catch (TemperException)
        {
        }

        return null;
    }

    private static string Latin(byte[] bytes) => System.Text.Encoding.Latin1.GetString(bytes);

    private static Draft Scan(string name, ByteSource bytes, CancellationToken cancellation) => new ArtifactScan(Options, cancellation).Inner(name, bytes, 0);

    private string? Fault(IReadOnlyList<FileReport> reports, bool count)
    {
        if (count)
        {
            Formats[reports[0].Format] = Formats.GetValueOrDefault(reports[0].Format) + 1;
        }

        return reports.SelectMany(r => r.Findings).FirstOrDefault(f => f.RuleId == "scan.fault") is { } fault ? $"{fault.Message} {fault.Evidence}"
            : reports.FirstOrDefault(r => r.Status != ScanStatus.Complete && r.Verdict == Verdict.Clean) is { } clean ? $"{clean.Path} is {clean.Status} and clean" : null;
    }
}
