using System.Text.Json;
using Temper.Core;
using Temper.Engine.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Engine.Checkpoints;

/// <summary>One comparison of a checkpoint with its golden.json.</summary>
public sealed record GoldenCheck(string Name, double Difference, double Tolerance)
{
    public bool Passed => Difference <= Tolerance; // false for NaN
}

/// <summary>Parity with transformers: golden.json holds ids, logits, log-sum-exps, greedy tokens, a loss and gradient norms.</summary>
public static class Golden
{
    /// <summary>Compares the checkpoint in <paramref name="folder"/> with its golden.json.</summary>
    public static IReadOnlyList<GoldenCheck> Check(string folder)
    {
        var path = Path.Combine(folder, "golden.json");
        using var document = Read(path);
        using var scope = NewDisposeScope();
        using var model = Checkpoint.Load(folder);
        var root = document.RootElement;
        try
        {
            var ids = Integers(root.GetProperty("input_ids"));
            var input = tensor(ids.SelectMany(r => r).ToArray(), ids.Length, ids[0].Length);
            var checks = Outputs(model, root, input);
            checks.Add(Greedy(model, root.GetProperty("greedy_from_first_12_of_row0"), ids[0][..12]));
            checks.AddRange(Gradients(model, root, input));
            return checks;
        }
        catch (Exception e) when (e is KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new TemperException($"{path}: expected input_ids, logits_last, logsumexp, greedy tokens, loss and grad_norms: {e.Message}", e);
        }
    }

    private static List<GoldenCheck> Outputs(CausalModel model, JsonElement root, Tensor input)
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        var logits = model.Forward(input); // (B, T, V)
        var rows = Numbers(root.GetProperty("logits_last"));
        var last = logits.select(1, logits.shape[1] - 1);
        return
        [
            new("logits of the last position", Difference(last, rows.SelectMany(r => r)), 1e-4),
            new("logits of row 0, position 5", Difference(logits.select(0, 0).select(0, 5), Numbers(root.GetProperty("logits_row0_pos5"), 1)[0]), 1e-4),
            new("log-sum-exp everywhere", Difference(logits.logsumexp(-1), Numbers(root.GetProperty("logsumexp")).SelectMany(r => r)), 1e-4),
        ];
    }

    private static GoldenCheck Greedy(CausalModel model, JsonElement expected, long[] prompt)
    {
        using var quiet = no_grad();
        var sequence = prompt.ToList();
        var wanted = expected.EnumerateArray().Select(e => e.GetInt64()).ToArray();
        var wrong = 0;
        foreach (var token in wanted)
        {
            using var scope = NewDisposeScope();
            var logits = model.Forward(tensor(sequence.ToArray(), 1, sequence.Count));
            var next = logits.select(1, sequence.Count - 1).argmax(-1).item<long>();
            wrong += next == token ? 0 : 1;
            sequence.Add(next);
        }

        return new($"greedy tokens that differ, of {wanted.Length}", wrong, 0);
    }

    private static IEnumerable<GoldenCheck> Gradients(CausalModel model, JsonElement root, Tensor input)
    {
        foreach (var parameter in model.Parameters.Values)
        {
            parameter.requires_grad_(true);
        }

        using var scope = NewDisposeScope();
        var logits = model.Forward(input);
        var length = input.shape[1];
        // labels of the first 8 positions are masked; position t predicts t + 1
        var predicted = logits.slice(1, 7, length - 1, 1).reshape(-1, model.Config.VocabularySize);
        var loss = nn.functional.cross_entropy(predicted, input.slice(1, 8, length, 1).reshape(-1));
        loss.backward();
        var checks = new List<GoldenCheck>
        {
            new("loss", Math.Abs(loss.item<float>() - root.GetProperty("loss_labels_masked_first_8").GetDouble()), 1e-5),
        };
        var norms = root.GetProperty("grad_norms").EnumerateObject().ToDictionary(p => p.Name, p => p.Value.GetDouble(), StringComparer.Ordinal);
        // attention does not see a bias of the keys, so that without rotation its gradient is what rounding leaves
        var floor = 1e-5 * norms.Values.Max();
        foreach (var (name, parameter) in model.Parameters)
        {
            var wanted = norms.TryGetValue(name, out var n) ? n : double.NaN;
            var found = parameter.grad is { } g ? g.norm().item<float>() : double.NaN;
            checks.Add(new($"gradient norm of {name}, relative", Math.Abs(found - wanted) / Math.Max(wanted, floor), 1e-3));
        }

        return checks;
    }

    private static JsonDocument Read(string path)
    {
        try
        {
            return JsonDocument.Parse(File.ReadAllBytes(path));
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            var found = e is FileNotFoundException or DirectoryNotFoundException ? "no such file" : e.Message;
            throw new TemperException($"{path}: found {found}, expected input_ids, logits_last, logsumexp, greedy tokens, loss and grad_norms as JSON", e);
        }
    }

    private static double Difference(Tensor found, IEnumerable<double> wanted) =>
        Checkpoint.Floats(found).Zip(wanted, (f, w) => double.IsNaN(f) ? double.NaN : Math.Abs(f - w)).Max();

    private static long[][] Integers(JsonElement e) => [.. e.EnumerateArray().Select(r => r.EnumerateArray().Select(v => v.GetInt64()).ToArray())];

    private static double[][] Numbers(JsonElement e, int depth = 2) => depth == 1
        ? [[.. e.EnumerateArray().Select(v => v.GetDouble())]]
        : [.. e.EnumerateArray().Select(r => r.EnumerateArray().Select(v => v.GetDouble()).ToArray())];
}
