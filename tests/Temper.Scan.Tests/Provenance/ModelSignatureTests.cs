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

    // Test 1 of RFC 8032 7.1 as openssl writes the key; the signature of the empty message.
    private const string Rfc8032Private = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE KEY-----\n";
    private const string Rfc8032Public = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----\n";

    [Fact]
    public void An_ed25519_key_signs_as_rfc_8032_says()
    {
        using var key = SigningKey.Read(Rfc8032Private);
        using var other = SigningKey.Read(Rfc8032Public);
        var signature = Convert.FromHexString("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b");

        Assert.Equal(signature, key.Sign([]));
        Assert.True(other.Verify([], signature));
        Assert.False(other.Verify([1], signature));
        Assert.Equal(key.PublicInfo, other.PublicInfo);
    }

    [Fact]
    public void A_folder_signed_with_ed25519_verifies_with_its_public_key_alone()
    {
        var bundle = ModelSignature.Create(_folder, Rfc8032Private, [], TestContext.Current.CancellationToken);

        Assert.Equal([], ModelSignature.Verify(_folder, bundle, Rfc8032Public, [], TestContext.Current.CancellationToken));
        Assert.StartsWith("The signature is not of this key", Assert.Single(Verify(bundle)), StringComparison.Ordinal);
        Assert.Contains("expected a private one", Assert.Throws<TemperException>(() => ModelSignature.Create(_folder, Rfc8032Public, [], TestContext.Current.CancellationToken)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1h\n-----END PRIVATE KEY-----\n")]
    [InlineData("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n")]
    public void What_is_no_key_is_refused_with_what_is_expected(string pem) =>
        Assert.Contains("expected an unencrypted key in PEM", Assert.Throws<TemperException>(() => SigningKey.Read(pem)).Message, StringComparison.Ordinal);

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
