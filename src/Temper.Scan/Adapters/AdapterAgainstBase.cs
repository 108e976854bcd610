using Temper.Formats.Json;
using Temper.Formats.SafeTensors;
using Temper.Scan.Folders;
using Temper.Scan.Rules;

namespace Temper.Scan.Adapters;

/// <summary>Do the factors and the copied layers of a PEFT adapter fit the declared base?</summary>
internal static class AdapterAgainstBase
{
    public static IEnumerable<Finding> Find(SafeTensorsFile weights, Dictionary<string, LoraPair> pairs, JsonTree config, ModelFolder @base, string place)
    {
        var layers = BaseLayers.Of(@base, CancellationToken.None);
        foreach (var finding in layers.OtherName(config["base_model_name_or_path"]?.String ?? "", place).Concat(layers.Mismatches(pairs, place)))
        {
            yield return finding;
        }

        foreach (var tensor in weights.Tensors.Where(t => !t.Name.Contains("lora_", StringComparison.Ordinal)))
        {
            var module = AdapterWeights.Module(tensor.Name).Replace(".modules_to_save", "", StringComparison.Ordinal);
            var name = module.EndsWith(".weight", StringComparison.Ordinal) ? module[..^7] : module;
            if (layers.Shape(name) is { } shape && !shape.SequenceEqual(tensor.Shape))
            {
                yield return AdapterCards.BaseMismatch.At($"{place}#{tensor.Name}", $"The copy is {string.Join(" x ", tensor.Shape)}, the base's layer {string.Join(" x ", shape)}.", tensor.Name);
            }
        }
    }
}
