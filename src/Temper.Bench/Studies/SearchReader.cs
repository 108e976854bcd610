using System.Globalization;
using System.Text.Json.Nodes;
using Temper.Bench.Searching;
using YamlDotNet.RepresentationModel;

namespace Temper.Bench.Studies;

/// <summary>The space and the budget of an attacker's search.</summary>
internal sealed class SearchReader(YamlFields fields)
{
    public AttackSearch Read(YamlNode space, YamlNode? budget, string field, StudyAttack attack, TechniqueReader techniques)
    {
        var known = (JsonObject)JsonNode.Parse(attack.Configurations[0].Technique.Settings)!;
        SearchParameter[] parameters =
            [.. fields.Mapping(space, $"{field}.space", [.. known.Select(s => s.Key)]).Select(p => Parameter(p.Key, p.Value, $"{field}.space.{p.Key}", known[p.Key])).OfType<SearchParameter>()];
        var search = new AttackSearch(parameters, Budget(budget, $"{field}.budget", parameters));
        var searching = attack with { Search = search };
        foreach (var (parameter, i) in parameters.Select((p, i) => (p, i)))
        {
            // every value of a list and both ends of a range, with the first of all others
            var places = parameter is ChoiceParameter choice ? choice.Values.Select((_, v) => (v + 0.5) / choice.Values.Count) : [0.0, 1.0];
            foreach (var place in places)
            {
                if (!techniques.Accepts(searching.Configure(new([.. parameters.Select((_, k) => k == i ? place : 0)])).Technique, space, $"{field}.space.{parameter.Name}"))
                {
                    break;
                }
            }
        }

        return search;
    }

    private SearchParameter? Parameter(string name, YamlNode node, string field, JsonNode? normal)
    {
        if (node is YamlSequenceNode { Children.Count: > 0 } list)
        {
            return new ChoiceParameter(name, [.. list.Children.Select(c => fields.Json(c, field))]);
        }

        var f = fields.Mapping(node, field, "low", "high", "log");
        var (low, high) = (fields.Number(f.GetValueOrDefault("low"), $"{field}.low", -1e9, 1e9, 1), fields.Number(f.GetValueOrDefault("high"), $"{field}.high", -1e9, 1e9, 2));
        var log = f.TryGetValue("log", out var scale) && fields.Text(scale, $"{field}.log") == "true";
        if (low >= high || (log && low <= 0))
        {
            fields.Mistake(node, field, string.Create(CultureInfo.InvariantCulture, $"low {low}, high {high}"), log ? "0 < low < high" : "low < high");
            return null;
        }

        return new RangeParameter(name, low, high, log, Whole: IsWhole(f.GetValueOrDefault("low")) && IsWhole(f.GetValueOrDefault("high")) && normal?.GetValueKind() != System.Text.Json.JsonValueKind.String);
    }

    private SearchBudget Budget(YamlNode? node, string field, IReadOnlyList<SearchParameter> space)
    {
        var none = new SearchBudget();
        if (node is null)
        {
            return none;
        }

        var f = fields.Mapping(node, field, "method", "trials", "steps", "parallel", "fidelity");
        int? Count(string name) => f.TryGetValue(name, out var n) ? fields.Integer(n, $"{field}.{name}", 1, 1_000_000_000, 1) : null;
        var method = none.Method;
        if (f.TryGetValue("method", out var given) && !Enum.TryParse(fields.Text(given, $"{field}.method"), ignoreCase: true, out method))
        {
            fields.Mistake(given, $"{field}.method", YamlFields.Show(given), string.Join(", ", Enum.GetNames<SearchMethod>().Select(m => m.ToLowerInvariant())));
        }

        var fidelity = f.TryGetValue("fidelity", out var named) ? fields.Text(named, $"{field}.fidelity") : null;
        if ((method == SearchMethod.Halving || fidelity is not null) && !space.Any(p => p is ChoiceParameter && p.Name == fidelity))
        {
            fields.Mistake(named ?? node, $"{field}.fidelity", fidelity ?? "nothing", "a setting of the space that lists its values, from the cheapest to the dearest");
        }

        return new() { Method = method, Trials = Count("trials") ?? none.Trials, Steps = Count("steps"), Parallel = Count("parallel") ?? none.Parallel, Fidelity = fidelity };
    }

    private static bool IsWhole(YamlNode? node) => node is YamlScalarNode { Value: { } text } && long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _);
}
