using System.CommandLine;
using Temper.Core;
using Temper.Scan.Provenance;

namespace Temper.Cli.Commands;

/// <summary><c>temper manifest create|verify FOLDER</c>: a signed list of a model's files in the OpenSSF model-signing layout.</summary>
internal static class ManifestCommand
{
    private const string DefaultName = "model.sig";

    public static Command Create() => new("manifest", "Sign a model folder, or verify that it is as it was signed") { Sign(), Verify() };

    private static Command Sign()
    {
        var folder = Folder();
        var key = new Option<string>("--key") { Description = "Private key in PEM: Ed25519, P-256, P-384 or P-521", Required = true };
        var output = new Option<string?>("--output") { Description = $"Signature file; FOLDER/{DefaultName} by default" };
        var command = new Command("create", "Write the signed manifest of a folder") { folder, key, output };
        command.SetAction((result, cancellation) =>
        {
            var root = Existing(result.GetRequiredValue(folder));
            var target = Path.GetFullPath(result.GetValue(output) ?? Path.Combine(root, DefaultName));
            var bundle = ModelSignature.Create(root, Read("--key", result.GetRequiredValue(key)), [target], cancellation);
            var aside = $"{target}.{Guid.NewGuid():N}.tmp";
            File.WriteAllText(aside, bundle);
            File.Move(aside, target, overwrite: true);
            Console.Out.WriteLine($"signed {root} in {target}");
            return Task.FromResult(ExitCodes.Done);
        });
        return command;
    }

    private static Command Verify()
    {
        var folder = Folder();
        var key = new Option<string>("--key") { Description = "Public key in PEM", Required = true };
        var signature = new Option<string?>("--signature") { Description = $"Signature file; FOLDER/{DefaultName} by default" };
        var command = new Command("verify", "Check signature and every file of a folder; exit 1 where something differs") { folder, key, signature };
        command.SetAction((result, cancellation) =>
        {
            var root = Existing(result.GetRequiredValue(folder));
            var source = Path.GetFullPath(result.GetValue(signature) ?? Path.Combine(root, DefaultName));
            var faults = ModelSignature.Verify(root, Read("--signature", source), Read("--key", result.GetRequiredValue(key)), [source], cancellation);
            foreach (var fault in faults)
            {
                Console.Out.WriteLine(fault);
            }

            Console.Out.WriteLine(faults.Count == 0 ? $"{root} is as it was signed" : $"{root} is not as it was signed: {faults.Count} difference(s)");
            return Task.FromResult(faults.Count == 0 ? ExitCodes.Done : ExitCodes.Findings);
        });
        return command;
    }

    private static Argument<string> Folder() => new("folder") { Description = "The model's folder" };

    private static string Existing(string folder) => Directory.Exists(folder) ? folder : throw new TemperException($"manifest {folder}: found no folder, expected one");

    private static string Read(string option, string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new TemperException($"{option} {path}: found no readable file ({e.Message})", e);
        }
    }
}
