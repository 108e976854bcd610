using Temper.Bench.Studies;
using Temper.Core;

namespace Temper.Bench.Hardening;

/// <summary>What a model is to be hardened against, and with what.</summary>
/// <param name="Candidates">The defenses that are tried; empty is every one that the catalog has for a single model.</param>
public sealed record ThreatProfile(string Name, string Description, IReadOnlyList<StudyAttack> Attacks, IReadOnlyList<StudyDefense> Candidates)
{
    private const string Resources = "Temper.Bench.Hardening.Profiles.";

    /// <summary>The profiles that come with Temper.</summary>
    public static IReadOnlyList<string> Names { get; } =
    [
        .. typeof(ThreatProfile).Assembly.GetManifestResourceNames().Where(n => n.StartsWith(Resources, StringComparison.Ordinal))
            .Select(n => Path.GetFileNameWithoutExtension(n[Resources.Length..])).Order(StringComparer.Ordinal),
    ];

    /// <summary>A profile by its name, or from a file.</summary>
    /// <exception cref="TemperException">There is none, or it has mistakes.</exception>
    public static ThreatProfile Read(string named)
    {
        if (File.Exists(named))
        {
            return StudyReader.ParseProfile(File.ReadAllText(named), named);
        }

        if (!Names.Contains(named, StringComparer.Ordinal))
        {
            throw new TemperException($"threats: found {named}, expected a file or one of: {string.Join(", ", Names)}");
        }

        using var reader = new StreamReader(typeof(ThreatProfile).Assembly.GetManifestResourceStream($"{Resources}{named}.yaml")!);
        return StudyReader.ParseProfile(reader.ReadToEnd(), named);
    }
}
