using System.Text.Json.Nodes;

namespace Temper.Bench.Searching;

/// <summary>One setting that the attacker may vary.</summary>
public abstract record SearchParameter(string Name)
{
    /// <summary>The value at a place in 0 to 1.</summary>
    public abstract JsonNode? At(double place);
}

/// <summary>A number between two bounds, on a linear or logarithmic scale.</summary>
public sealed record RangeParameter(string Name, double Low, double High, bool Logarithmic, bool Whole) : SearchParameter(Name)
{
    public override JsonNode? At(double place)
    {
        var value = Logarithmic ? Low * Math.Pow(High / Low, place) : Low + ((High - Low) * place);
        // three digits tell as much as a search can, and read well
        return Whole ? (long)Math.Round(value) : double.Parse(value.ToString("g3", System.Globalization.CultureInfo.InvariantCulture), System.Globalization.CultureInfo.InvariantCulture);
    }
}

/// <summary>One of several values.</summary>
public sealed record ChoiceParameter(string Name, IReadOnlyList<JsonNode?> Values) : SearchParameter(Name)
{
    public override JsonNode? At(double place) => Values[Index(place)]?.DeepClone();

    public int Index(double place) => Math.Min((int)(place * Values.Count), Values.Count - 1);
}

public enum SearchMethod { Tpe, Halving, Random }

/// <summary>What the attacker may spend, the same against every defense.</summary>
public sealed record SearchBudget
{
    public SearchMethod Method { get; init; } = SearchMethod.Tpe;

    /// <summary>Configurations tried in all.</summary>
    public int Trials { get; init; } = 12;

    /// <summary>The largest sum of training steps over the trials; null does not limit them.</summary>
    public int? Steps { get; init; }

    /// <summary>Configurations tried at once, before their results are looked at.</summary>
    public int Parallel { get; init; } = 4;

    /// <summary>For halving: the setting whose listed values, from the first to the last, are the rungs; more of it costs more and tells more.</summary>
    public string? Fidelity { get; init; }
}

/// <summary>A search over an attack's settings, one for each model, defense and attack.</summary>
public sealed record AttackSearch(IReadOnlyList<SearchParameter> Space, SearchBudget Budget);

/// <summary>A configuration: for each parameter of the space a place in 0 to 1.</summary>
public sealed record Trial(IReadOnlyList<double> Places)
{
    /// <summary>Equal trials are one trial.</summary>
    public string Key(AttackSearch search) => string.Join(", ", search.Space.Zip(Places, (p, at) => $"{p.Name} {p.At(at)?.ToJsonString() ?? "null"}"));
}

/// <summary>What came of a trial.</summary>
/// <param name="Objective">What the attacker maximizes: success where the utility floor holds, less what is missing where it does not; null for a failed trial.</param>
public sealed record TrialResult(Trial Trial, double? Objective);
