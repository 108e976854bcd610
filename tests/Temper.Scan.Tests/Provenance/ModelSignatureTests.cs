using System.Security.Cryptography;
using System.Text.Json;
using Temper.Core;
using Temper.Scan.Provenance;

namespace Temper.Scan.Tests.Provenance;

public sealed class ModelSignatureTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("temper-sign").FullName;
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public ModelSignatureTests()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "sub"));
        File.WriteAllText(Path.Combine(_folder, "b.txt"), "b");
        File.WriteAllText(Path.Combine(_folder, "sub", "a.txt"), "a");
    }

    public void Dispose()
    {
        _key.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void A_folder_is_as_it_was_signed_until_a_file_changes_appears_or_goes()
    {
        var bundle = Create();
        Assert.Equal([], Verify(bundle));

        File.WriteAllText(Path.Combine(_folder, "b.txt"), "changed");
        File.WriteAllText(Path.Combine(_folder, "new.txt"), "new");
        File.Delete(Path.Combine(_folder, "sub", "a.txt"));
        var faults = Verify(bundle);

        Assert.Equal(3, faults.Count);
        Assert.Contains(faults, f => f.StartsWith("b.txt: found SHA-256", StringComparison.Ordinal));
        Assert.Contains("new.txt: found a file, expected none of this name.", faults);
        Assert.Contains("sub/a.txt: found no file, expected one.", faults);
    }

    [Fact]
    public void Another_key_and_a_changed_statement_are_refused()
    {
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        var bundle = Create();
        var start = bundle.IndexOf("\"payload\":\"", StringComparison.Ordinal) + 11;
        var forged = bundle[..(start + 40)] + (bundle[start + 40] == 'A' ? 'B' : 'A') + bundle[(start + 41)..];

        Assert.StartsWith("The signature is not of this key", Assert.Single(ModelSignature.Verify(_folder, bundle, other.ExportSubjectPublicKeyInfoPem(), [], TestContext.Current.CancellationToken)), StringComparison.Ordinal);
        Assert.StartsWith("The signature is not of this key", Assert.Single(Verify(forged)), StringComparison.Ordinal);
    }

    [Fact]
    public void The_layout_is_that_of_model_signing_v1()
    {
        using var bundle = JsonDocument.Parse(Create());
        using var statement = JsonDocument.Parse(bundle.RootElement.GetProperty("dsseEnvelope").GetProperty("payload").GetBytesFromBase64());
        var resources = statement.RootElement.GetProperty("predicate").GetProperty("resources").EnumerateArray().ToArray();
        var all = SHA256.HashData(resources.SelectMany(r => Convert.FromHexString(r.GetProperty("digest").GetString()!)).ToArray());

        Assert.Equal("https://in-toto.io/Statement/v1", statement.RootElement.GetProperty("_type").GetString());
        Assert.Equal("https://model_signing/signature/v1.0", statement.RootElement.GetProperty("predicateType").GetString());
        Assert.Equal(["b.txt", "sub/a.txt"], resources.Select(r => r.GetProperty("name").GetString()));
        Assert.Equal(Convert.ToHexStringLower(all), statement.RootElement.GetProperty("subject")[0].GetProperty("digest").GetProperty("sha256").GetString());
    }

    [Fact]
    public void A_link_is_refused()
    {
        File.CreateSymbolicLink(Path.Combine(_folder, "link"), Path.Combine(_folder, "b.txt"));

        Assert.Contains("found a link", Assert.Throws<TemperException>(Create).Message, StringComparison.Ordinal);
    }

    private string Create() => ModelSignature.Create(_folder, _key.ExportPkcs8PrivateKeyPem(), [], TestContext.Current.CancellationToken);

    private IReadOnlyList<string> Verify(string bundle) => ModelSignature.Verify(_folder, bundle, _key.ExportSubjectPublicKeyInfoPem(), [], TestContext.Current.CancellationToken);
}
