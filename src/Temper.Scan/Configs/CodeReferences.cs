using Temper.Formats.Json;
using Temper.Scan.Artifacts;
using Temper.Scan.Rules;

namespace Temper.Scan.Configs;

/// <summary>Values by which a configuration makes its loader import, fetch or call something.</summary>
internal static class CodeReferences
{
    private const int MaxFindings = 100;

    public static IEnumerable<Finding> Find(JsonTree root, string path) => Walk(root, $"{path}#$").Take(MaxFindings);

    private static IEnumerable<Finding> Walk(JsonTree root, string start)
    {
        var pending = new Stack<(JsonTree Node, string Place)>([(root, start)]);
        while (pending.TryPop(out var current))
        {
            foreach (var (name, value) in current.Node.Members)
            {
                var place = name.Length == 0 ? $"{current.Place}[]" : $"{current.Place}.{name}";
                if (Judge(current.Node, name, value, place) is { } finding)
                {
                    yield return finding;
                }

                if (value.Members.Count > 0)
                {
                    pending.Push((value, place));
                }
            }
        }
    }

    private static Finding? Judge(JsonTree owner, string name, JsonTree value, string place)
    {
        switch (name)
        {
            case "auto_map" when value.Members.Count > 0:
                var classes = string.Join(", ", value.Items.SelectMany(v => v.String is { } s ? [s] : v.Items.Select(i => i.String ?? "")).Where(s => s.Length > 0));
                return ConfigCards.RemoteCode.At(place, classes.Contains("--", StringComparison.Ordinal)
                    ? "auto_map loads code from another repository." : "auto_map loads code from this folder.", classes);
            case "_attn_implementation_internal" or "_attn_implementation" or "attn_implementation" or "_experts_implementation" when value.String is { } kernel && kernel.Contains('/', StringComparison.Ordinal):
                return ConfigCards.Kernel.At(place, $"{name} names a repository.", kernel);
            case "trust_remote_code" when value.IsTrue:
                return ConfigCards.Trust.At(place, "trust_remote_code is true.");
            case "_target_" when value.String is { } target:
                return Target(place, target);
            // skops keeps the classes of an estimator under these keys, and imports them.
            case "__module__" when owner["__loader__"] is not null && value.String is { } module && owner["__class__"]?.String is { } type
                && PickleNames.Classify(module, type) is NameTrust.Dangerous or NameTrust.Unlisted:
                return Target(place, $"{module}.{type}");
            case "custom_generate" when value.Kind != JsonKind.Null:
                return ConfigCards.CustomGenerate.At(place, "Generation code is taken from a repository.", value.Text);
            case "resume_from_checkpoint" when value.String is { Length: > 0 } checkpoint:
                return ConfigCards.Resume.At(place, "Training resumes from a checkpoint.", checkpoint);
            default:
                return KerasReferences.Judge(owner, name, value, place);
        }
    }

    /// <summary>A callable by its dotted name, judged by the lists that judge pickles.</summary>
    public static Finding Target(string place, string target)
    {
        var dot = target.LastIndexOf('.');
        var dangerous = dot > 0 && PickleNames.Classify(target[..dot], target[(dot + 1)..]) == NameTrust.Dangerous;
        return ConfigCards.Target.At(place, $"The loader imports and calls {target}.", target, dangerous ? Severity.High : null);
    }
}
