using System.Security.Cryptography;
using NSec.Cryptography;
using Temper.Core;

namespace Temper.Scan.Provenance;

/// <summary>A key in PEM as openssl writes it (PKCS 8, SPKI): an elliptic curve of NIST, or Ed25519.</summary>
internal abstract class SigningKey : IDisposable
{
    // OBJECT IDENTIFIER 1.3.101.112
    private static ReadOnlySpan<byte> Ed25519Id => [0x06, 0x03, 0x2b, 0x65, 0x70];

    /// <summary>The public half as SubjectPublicKeyInfo.</summary>
    public abstract byte[] PublicInfo { get; }

    /// <summary>The key of a PEM file.</summary>
    public static SigningKey Read(string pem)
    {
        try
        {
            return IsEd25519(pem) ? Ed25519Key.Of(pem) : EllipticKey.Of(pem);
        }
        catch (Exception e) when (e is ArgumentException or FormatException or CryptographicException or InvalidOperationException or PlatformNotSupportedException)
        {
            throw new TemperException($"--key: found no usable key ({e.Message}), expected an unencrypted key in PEM: Ed25519, or an elliptic curve (P-256, P-384 or P-521)", e);
        }
        catch (TypeInitializationException e)
        {
            throw new TemperException("--key: found an Ed25519 key, but no libsodium beside the program, which they need", e);
        }
    }

    /// <summary>The signature; only a private key has one to give.</summary>
    public byte[] Sign(byte[] data)
    {
        try
        {
            return SignWithPrivate(data);
        }
        catch (CryptographicException e)
        {
            throw new TemperException("--key: found a public key, expected a private one to sign with", e);
        }
    }

    /// <summary>Whether this key signed exactly these bytes.</summary>
    public abstract bool Verify(byte[] data, byte[] signature);

    public abstract void Dispose();

    protected abstract byte[] SignWithPrivate(byte[] data);

    private static bool IsEd25519(string pem)
    {
        var found = PemEncoding.Find(pem);
        return Convert.FromBase64String(pem[found.Base64Data]).AsSpan().IndexOf(Ed25519Id) is >= 0 and < 16;
    }

    // The NIST curves sign the SHA-2 of their size, as openssl and cosign do.
    private sealed class EllipticKey(ECDsa key) : SigningKey
    {
        private readonly HashAlgorithmName _hash = key.KeySize switch { <= 256 => HashAlgorithmName.SHA256, <= 384 => HashAlgorithmName.SHA384, _ => HashAlgorithmName.SHA512 };

        public override byte[] PublicInfo => key.ExportSubjectPublicKeyInfo();

        public static EllipticKey Of(string pem)
        {
            var key = ECDsa.Create();
            try
            {
                key.ImportFromPem(pem);
                return new(key);
            }
            catch
            {
                key.Dispose();
                throw;
            }
        }

        public override bool Verify(byte[] data, byte[] signature) => key.VerifyData(data, signature, _hash, DSASignatureFormat.Rfc3279DerSequence);

        public override void Dispose() => key.Dispose();

        protected override byte[] SignWithPrivate(byte[] data) => key.SignData(data, _hash, DSASignatureFormat.Rfc3279DerSequence);
    }

    private sealed class Ed25519Key(PublicKey @public, Key? @private) : SigningKey
    {
        private static readonly SignatureAlgorithm Algorithm = SignatureAlgorithm.Ed25519;

        public override byte[] PublicInfo => @public.Export(KeyBlobFormat.PkixPublicKey);

        public static Ed25519Key Of(string pem)
        {
            var text = System.Text.Encoding.ASCII.GetBytes(pem.ReplaceLineEndings("\n"));
            if (!pem.Contains("PRIVATE", StringComparison.Ordinal))
            {
                return new(PublicKey.Import(Algorithm, text, KeyBlobFormat.PkixPublicKeyText), null);
            }

            var key = Key.Import(Algorithm, text, KeyBlobFormat.PkixPrivateKeyText);
            return new(key.PublicKey, key);
        }

        public override bool Verify(byte[] data, byte[] signature) => Algorithm.Verify(@public, data, signature);

        public override void Dispose() => @private?.Dispose();

        protected override byte[] SignWithPrivate(byte[] data) => Algorithm.Sign(@private ?? throw new CryptographicException(), data);
    }
}
