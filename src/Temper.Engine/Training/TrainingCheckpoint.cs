using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using Temper.Core;
using Temper.Engine.Checkpoints;
using Temper.Engine.Models;
using Temper.Formats.SafeTensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Engine.Training;

/// <summary>Everything that a training needs to go on to the bit, in one safetensors file that is replaced whole.</summary>
internal sealed class TrainingCheckpoint(string folder, string fingerprint)
{
    private const string FileName = "training.safetensors";
    private const string FingerprintKey = "fingerprint";
    private const string LossesKey = "losses";
    private const string RollBacksKey = "rollbacks";
    private const string EventsKey = "events";
    private readonly string path = Path.Combine(folder, FileName);

    public bool Exists => File.Exists(path);

    public void Write(IReadOnlyDictionary<string, Tensor> live, IEnumerable<double> losses, int rollBacks, IReadOnlyList<TrainingEvent> events)
    {
        Directory.CreateDirectory(folder);
        SafeTensorsWriter.Write(
            path,
            [.. live.Select(p => TensorData.FromFloats(p.Key, p.Value.shape, Checkpoint.Floats(p.Value)))],
            new Dictionary<string, string>(StringComparer.Ordinal)
            {
                [FingerprintKey] = fingerprint,
                [LossesKey] = string.Join(' ', losses.Select(l => l.ToString("R", CultureInfo.InvariantCulture))),
                [RollBacksKey] = rollBacks.ToString(CultureInfo.InvariantCulture),
                [EventsKey] = JsonSerializer.Serialize(events),
            });
    }

    /// <summary>Fills the live tensors and returns the losses, rollbacks and events so far.</summary>
    public (double[] Losses, int RollBacks, TrainingEvent[] Events) Read(IReadOnlyDictionary<string, Tensor> live, int steps)
    {
        using var quiet = no_grad();
        using var file = SafeTensorsFile.Open(path);
        if (Text(file, FingerprintKey) != fingerprint)
        {
            throw new TemperException($"{path}: found the checkpoint of another training, expected one of the same model, rows, plan and hooks; give another folder or delete it");
        }

        foreach (var (name, target) in live)
        {
            using var scope = NewDisposeScope();
            var info = file[name];
            if (info.Type != TensorType.F32 || !info.Shape.SequenceEqual(target.shape))
            {
                throw new TemperException($"{path}: tensor {name}: found {info.Type} [{string.Join(", ", info.Shape)}], expected F32 [{string.Join(", ", target.shape)}]");
            }

            var value = empty(target.shape, ScalarType.Float32);
            file.ReadFloats(info, MemoryMarshal.Cast<byte, float>(value.bytes));
            target.copy_(value);
        }

        var words = Text(file, LossesKey).Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var losses = words.Select(w => double.TryParse(w, CultureInfo.InvariantCulture, out var loss) ? loss : double.NaN).ToArray();
        if (losses.Length > steps || !losses.All(double.IsFinite) || !int.TryParse(Text(file, RollBacksKey), CultureInfo.InvariantCulture, out var rollBacks))
        {
            throw new TemperException($"{path}: found losses or rollbacks that are no numbers, expected at most {steps} of them");
        }

        try
        {
            return (losses, rollBacks, JsonSerializer.Deserialize<TrainingEvent[]>(Text(file, EventsKey)) ?? []);
        }
        catch (JsonException e)
        {
            throw new TemperException($"{path}: {EventsKey}: expected a JSON list of steps and texts, found: {e.Message}", e);
        }
    }

    /// <summary>A hash of all that decides the outcome, the trained tensors aside.</summary>
    public static string Fingerprint(
        CausalModel model, IReadOnlyDictionary<string, Tensor> trainable, IReadOnlyList<EncodedExample> rows, TuningPlan plan,
        IReadOnlyList<TrainingHook> hooks, TrainerOptions options)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(JsonSerializer.SerializeToUtf8Bytes(new { model.Config, Plan = plan, options.SnapshotEvery, Hooks = hooks.Select(h => h.Name), Names = trainable.Keys }));
        foreach (var row in rows)
        {
            hash.AppendData(JsonSerializer.SerializeToUtf8Bytes(row));
        }

        foreach (var (name, value) in model.Parameters)
        {
            if (!trainable.ContainsKey(name))
            {
                hash.AppendData(MemoryMarshal.AsBytes<float>(Checkpoint.Floats(value)));
            }
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private string Text(SafeTensorsFile file, string key) =>
        file.Metadata.TryGetValue(key, out var text) ? text : throw new TemperException($"{path}: {key}: found nothing, expected metadata of a training checkpoint");
}
