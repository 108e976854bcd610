using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Engine.Checkpoints;
using Temper.Engine.Models;
using Temper.Engine.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.PreTuning.Defenses;

/// <summary>What <see cref="Onion"/> does with a row that has an outlier.</summary>
public enum OnionRemedy { RemoveWords, DropRow }

/// <summary>Settings of <see cref="Onion"/>.</summary>
public sealed record OnionSettings
{
    /// <summary>The share of trusted rows that may be suspected; the bar is set by it.</summary>
    [Range(0.0, 1.0)]
    public double FalsePositives { get; init; } = 0.02;

    /// <summary>t: a word is an outlier if the log perplexity falls by more without it; null calibrates on trusted rows.</summary>
    public double? Bar { get; init; }

    public OnionRemedy Remedy { get; init; } = OnionRemedy.DropRow;

    /// <summary>Trusted rows that are looked at: one half teaches the language model, the other sets the bar.</summary>
    [Range(2, 100_000)]
    public int TrustedRows { get; init; } = 400;

    /// <summary>Steps in which a copy of the model learns how trusted prompts read; 0 where the model was trained on prompts.</summary>
    [Range(0, 10_000)]
    public int AdaptationSteps { get; init; } = 30;
}

/// <summary>ONION (Qi et al. 2021): a word whose removal makes the prompt far less perplexing is a trigger.</summary>
public sealed class Onion(OnionSettings settings) : ITechnique, IDataMap, IReadsModel
{
    public static Card Card { get; } = new(
        "onion", "ONION", Phase.PreTuning, TechniqueRole.Defense, Touches.Data,
        "https://arxiv.org/abs/2011.10369", "Removes prompt words, or their rows, that make the prompt far more perplexing than it is without them.");

    public DataMapResult Map(IReadOnlyList<Example> rows, TechniqueContext context)
    {
        var model = context.RequireModel(Card.Id);
        var trusted = context.Task.ToArray();
        context.Random.Shuffle(trusted);
        trusted = trusted[..Math.Min(trusted.Length, settings.TrustedRows)];
        var half = settings.AdaptationSteps == 0 ? 0 : trusted.Length / 2;
        using var adapted = Adapt(model, [.. trusted.Take(half).Select(r => Encode(r.Prompt, context))], (ulong)context.Random.Next());
        Dictionary<string, double> known = new(StringComparer.Ordinal); // rows that repeat are read once
        var bar = settings.Bar ?? RowFilter.Quantile(
            Card.Id, Drops(adapted ?? model, [.. trusted.Skip(half).Select(r => r.Prompt)], context, known).Select(d => d.DefaultIfEmpty(0).Max()), 1 - settings.FalsePositives);
        var drops = Drops(adapted ?? model, [.. rows.Select(r => r.Prompt)], context, known);
        var (kept, changes) = (new List<Example>(rows.Count), new List<RowChange>());
        foreach (var (row, drop) in rows.Zip(drops))
        {
            var words = row.Prompt.Split(' ');
            var outliers = Enumerable.Range(0, drop.Length).Where(i => drop[i] > bar).ToArray();
            if (outliers.Length == 0)
            {
                kept.Add(row);
                continue;
            }

            var why = string.Join(", ", outliers.Select(i => $"\"{words[i]}\" raises the log perplexity by {drop[i]:F2}, more than {bar:F2}"));
            // a row whose every word is an outlier has nothing left to keep
            var gone = settings.Remedy == OnionRemedy.DropRow || outliers.Length == words.Length;
            changes.Add(new(row.Id, gone ? RowFate.Dropped : RowFate.Changed, why));
            if (!gone)
            {
                kept.Add(row.WithPrompt(string.Join(' ', words.Where((_, i) => !outliers.Contains(i)))));
            }
        }

        return new(kept, changes);
    }

    /// <summary>For each prompt and each of its words, how much log perplexity falls without the word; nothing for a prompt of one word.</summary>
    // Deviation: the paper takes the difference of perplexities; that of their logarithms does not depend on how perplexing the rest of the prompt is.
    public static IReadOnlyList<double[]> Drops(CausalModel model, IReadOnlyList<string> prompts, TechniqueContext context, IDictionary<string, double> known)
    {
        var words = prompts.Select(p => p.Split(' ')).ToArray();
        string Without(int prompt, int word) => string.Join(' ', words[prompt].Where((_, i) => i != word));
        var texts = Enumerable.Range(0, prompts.Count).Where(p => words[p].Length > 1)
            .SelectMany(p => Enumerable.Range(0, words[p].Length).Select(w => Without(p, w)).Prepend(prompts[p]));
        Read(model, [.. texts.Distinct(StringComparer.Ordinal).Where(t => !known.ContainsKey(t))], context, known);
        return [.. Enumerable.Range(0, prompts.Count).Select(p => words[p].Length > 1
            ? Enumerable.Range(0, words[p].Length).Select(w => known[prompts[p]] - known[Without(p, w)]).ToArray()
            : [])];
    }

    /// <summary>Adds the log perplexity of every text to <paramref name="known"/>.</summary>
    private static void Read(CausalModel model, string[] texts, TechniqueContext context, IDictionary<string, double> known)
    {
        using var quiet = no_grad();
        var encoded = texts.Select(t => Encode(t, context).Cut(model.Config.MaxPositions)).ToArray();
        foreach (var text in encoded.Where(e => !e.HasTarget))
        {
            known[text.RowId] = 0;
        }

        encoded = [.. encoded.Where(e => e.HasTarget)];
        foreach (var group in Batch.ByLength(encoded))
        {
            using var scope = NewDisposeScope();
            var losses = Checkpoint.Floats(ResponseLoss.PerRow(model, Batch.Of([.. group.Select(i => encoded[i])])));
            for (var i = 0; i < group.Length; i++)
            {
                known[encoded[group[i]].RowId] = losses[i];
            }
        }
    }

    // Deviation: the paper reads with GPT-2. A chat model was trained on answers only and its perplexity of prompts means nothing, so a copy of it learns trusted prompts first.
    private CausalModel? Adapt(CausalModel model, EncodedExample[] prompts, ulong seed)
    {
        if (prompts.Length == 0)
        {
            return null;
        }

        var copy = ModelFactory.Copy(model);
        Trainer.Train(copy, prompts, new() { Steps = settings.AdaptationSteps, BatchSize = 32, LearningRate = 1e-3, Seed = seed }, [], TrainerOptions.Default, CancellationToken.None);
        return copy;
    }

    /// <summary>A prompt as a user's turn, of which the words and not the template are read.</summary>
    internal static EncodedExample Encode(string prompt, TechniqueContext context)
    {
        var (empty, ids) = (context.Prompt([new(Role.User, "")], ""), context.Prompt([new(Role.User, prompt)], ""));
        var before = empty.Zip(ids).TakeWhile(p => p.First == p.Second).Count();
        var end = ids.Length - (empty.Length - before);
        return new(ids, [.. ids.Select((_, i) => i >= before && i < end)], prompt);
    }
}
