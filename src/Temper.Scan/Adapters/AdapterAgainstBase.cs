using Temper.Formats.Bytes;
using Temper.Formats.SafeTensors;
using Temper.Scan.Folders;
using Temper.Scan.Rules;

namespace Temper.Scan.Adapters;

/// <summary>Do the factors fit the layers of the declared base?</summary>
internal static class AdapterAgainstBase
{
    public static IEnumerable<Finding> Find(SafeTensorsFile weights, Dictionary<string, LoraPair> pairs, ModelFolder @base, string place)
    {
        var layers = Layers(@base);
        if (layers.Count == 0)
        {
            yield break;
        }

        foreach (var (module, pair) in pairs)
        {
            if (pair.A is not { Shape.Count: >= 2 } a || pair.B is not { Shape.Count: >= 2 } b)
            {
                continue;
            }

            if (Layer(layers, module) is not { } shape)
            {
                yield return AdapterCards.BaseMismatch.At($"{place}#{module}", "The base has no such layer.", module);
            }
            else if (shape is not [var rows, var columns] || !((rows == b.Shape[0] && columns == a.Shape[1]) || (rows == a.Shape[1] && columns == b.Shape[0])))
            {
                yield return AdapterCards.BaseMismatch.At($"{place}#{module}", $"The update is {b.Shape[0]} x {a.Shape[1]}, the base's layer {string.Join(" x ", shape)}.", module);
            }
        }

        foreach (var tensor in weights.Tensors.Where(t => !t.Name.Contains("lora_", StringComparison.Ordinal)))
        {
            var module = AdapterWeights.Module(tensor.Name).Replace(".modules_to_save", "", StringComparison.Ordinal);
            var name = module.EndsWith(".weight", StringComparison.Ordinal) ? module[..^7] : module;
            if (Layer(layers, name) is { } shape && !shape.SequenceEqual(tensor.Shape))
            {
                yield return AdapterCards.BaseMismatch.At($"{place}#{tensor.Name}", $"The copy is {string.Join(" x ", tensor.Shape)}, the base's layer {string.Join(" x ", shape)}.", tensor.Name);
            }
        }
    }

    // A task head is put around the base ("transformer.h.0" against "h.0"), so the end of the name decides.
    private static long[]? Layer(Dictionary<string, long[]> layers, string module)
    {
        for (var name = module; ; name = name[(name.IndexOf('.', StringComparison.Ordinal) + 1)..])
        {
            if (layers.TryGetValue($"{name}.weight", out var shape))
            {
                return shape;
            }

            if (!name.Contains('.', StringComparison.Ordinal))
            {
                return layers.FirstOrDefault(l => l.Key.EndsWith($".{module}.weight", StringComparison.Ordinal)).Value;
            }
        }
    }

    private static Dictionary<string, long[]> Layers(ModelFolder @base)
    {
        var layers = new Dictionary<string, long[]>(StringComparer.Ordinal);
        foreach (var name in @base.Names.Where(n => n.EndsWith(".safetensors", StringComparison.Ordinal) && !n.StartsWith("adapter_", StringComparison.Ordinal)))
        {
            using var bytes = ByteSource.Open(@base.File(name));
            if (SafeTensorsInspector.Recognize(bytes))
            {
                foreach (var tensor in SafeTensorsInspector.Inspect(bytes, CancellationToken.None).Tensors)
                {
                    layers[tensor.Name] = tensor.Shape;
                }
            }
        }

        return layers;
    }
}
