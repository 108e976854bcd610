using System.Buffers.Binary;
using Temper.Formats.Bytes;
using Temper.Formats.Gguf;
using Temper.Formats.SafeTensors;
using Temper.Scan.Folders;
using Temper.Scan.Rules;

namespace Temper.Scan.Adapters;

/// <summary>A LoRA adapter as one GGUF file (llama.cpp): what it says of its base, its factors and its fit to the base given.</summary>
internal sealed class GgufAdapter : IDisposable
{
    private const int MaxFindings = 20;
    private readonly ByteSource _bytes;
    private readonly GgufFile _file;
    private readonly string _place;

    private GgufAdapter(string place, ByteSource bytes, GgufFile file)
    {
        (_place, _bytes, _file) = (place, bytes, file);
        foreach (var tensor in file.Tensors)
        {
            if (Parts(tensor.Name) is var (module, isA) && tensor.Length is not null)
            {
                var pair = Pairs.GetValueOrDefault(module) ?? new(null, null);
                Pairs[module] = isA ? pair with { A = Info(tensor) } : pair with { B = Info(tensor) };
            }
        }
    }

    /// <summary>The factors under the names of ggml, shapes with the rows first as in PyTorch.</summary>
    public Dictionary<string, LoraPair> Pairs { get; } = new(StringComparer.Ordinal);

    /// <summary>Name of the base model as the file gives it.</summary>
    public string Base => Text("general.base_model.0.name");

    private double Alpha => _file["adapter.lora.alpha"] is { Type: GgufType.Float32 } alpha ? BinaryPrimitives.ReadSingleLittleEndian(_bytes.Span(alpha.Offset, 4)) : 0;

    /// <summary>The adapters among a folder's files.</summary>
    public static IEnumerable<(string File, GgufAdapter Adapter)> Of(ModelFolder folder, CancellationToken cancellation)
    {
        foreach (var name in folder.Names.Where(n => n.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase)).Order(StringComparer.Ordinal))
        {
            using var adapter = Open(folder.File(name), cancellation);
            if (adapter is not null)
            {
                yield return (name, adapter);
            }
        }
    }

    public static IEnumerable<FolderFinding> Find(ModelFolder folder, ModelFolder? @base, CancellationToken cancellation) =>
        Of(folder, cancellation).SelectMany(a => a.Adapter.Findings(@base, cancellation).Take(MaxFindings).Select(f => new FolderFinding(a.File, f)));

    /// <summary>llama.cpp scales by alpha over rank, and not at all where alpha is missing or zero.</summary>
    public double ScaleOf(long rank) => Alpha == 0 ? 1 : Alpha / rank;

    /// <summary>The elements of a factor.</summary>
    public float[] Read(TensorInfo tensor)
    {
        var source = _bytes.Span(tensor.Offset, checked((int)tensor.Length));
        var result = new float[tensor.ElementCount];
        for (var i = 0; i < result.Length; i++)
        {
            result[i] = tensor.Type switch
            {
                TensorType.F32 => BinaryPrimitives.ReadSingleLittleEndian(source[(4 * i)..]),
                TensorType.F16 => (float)BinaryPrimitives.ReadHalfLittleEndian(source[(2 * i)..]),
                _ => BitConverter.UInt32BitsToSingle((uint)BinaryPrimitives.ReadUInt16LittleEndian(source[(2 * i)..]) << 16),
            };
        }

        return result;
    }

    public void Dispose() => _bytes.Dispose();

    // A file with a defect has a report of its own, and its offsets are not to be trusted.
    private static GgufAdapter? Open(string path, CancellationToken cancellation)
    {
        var bytes = ByteSource.Open(path);
        var file = GgufReader.Recognize(bytes.Head(4)) ? GgufReader.Read(bytes, cancellation) : null;
        if (file is { Defects.Count: 0, Tensors.Count: > 0 } && (file["general.type"]?.Text == "adapter" || file.Tensors.Any(t => Parts(t.Name) is not null)))
        {
            return new(path, bytes, file);
        }

        bytes.Dispose();
        return null;
    }

    private IEnumerable<Finding> Findings(ModelFolder? @base, CancellationToken cancellation)
    {
        var named = AdapterConfigRules.Base(Base, Text("general.base_model.0.version"), $"{_place}#general.base_model.0.name");
        return [.. named, .. AdapterWeights.Shapes(Pairs, null, _place), .. Outside(), .. Scale(), .. @base is null ? [] : AgainstBase(BaseLayers.Of(@base, cancellation))];
    }

    private IEnumerable<Finding> Outside() => _file.Tensors.Where(t => Parts(t.Name) is null && !t.Name.EndsWith("_norm.weight", StringComparison.Ordinal))
        .Select(t => AdapterCards.Outside.At($"{_place}#{t.Name}", "The tensor is no factor, which an adapter has no use for.", t.Name));

    private IEnumerable<Finding> Scale()
    {
        foreach (var (module, pair) in Pairs.Where(p => p.Value.A is { Shape.Count: 2 } a && !AdapterConfigRules.IsScale(ScaleOf(a.Shape[0]))).Take(1))
        {
            yield return AdapterCards.Size.At($"{_place}#{module}", $"The update is scaled by {ScaleOf(pair.A!.Shape[0]):0.###}, expected more than 0 and at most {AdapterConfigRules.LargestScale}.", $"alpha {Alpha}");
        }
    }

    private IEnumerable<Finding> AgainstBase(BaseLayers layers)
    {
        var architecture = Text("general.architecture");
        if (architecture.Length > 0 && layers.Architecture is { } other && architecture != other)
        {
            yield return AdapterCards.BaseMismatch.At($"{_place}#general.architecture", $"The adapter is for the architecture {architecture}, the base is {other}.", architecture);
        }

        foreach (var finding in layers.OtherName(Base, _place).Concat(layers.Mismatches(Pairs, _place)))
        {
            yield return finding;
        }
    }

    private string Text(string key) => _file[key]?.Text ?? "";

    private static (string Module, bool IsA)? Parts(string name) =>
        !name.EndsWith(".lora_a", StringComparison.Ordinal) && !name.EndsWith(".lora_b", StringComparison.Ordinal) ? null
        : (name[..^".lora_a".Length].Replace(".weight", "", StringComparison.Ordinal), name[^1] == 'a');

    private TensorInfo Info(GgufTensor tensor) =>
        new(tensor.Name, tensor.Type switch { 0 => TensorType.F32, 1 => TensorType.F16, 30 => TensorType.BF16, _ => TensorType.U8 }, [.. tensor.Shape.Reverse()], _file.DataStart + tensor.DataOffset, tensor.Length ?? 0);
}
