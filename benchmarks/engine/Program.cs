using System.Diagnostics;
using System.Globalization;
using Temper.Core;
using Temper.Engine.Checkpoints;
using Temper.Engine.Generation;
using Temper.Engine.Models;
using Temper.Engine.Training;
using static TorchSharp.torch;

// One line of name=value pairs per run, so that run.sh can put it beside a peer's.
const int Rows = 32, Length = 64, Warm = 5;
CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
set_num_threads(1);
if (args is not [var what, var folder, ..])
{
    Console.Error.WriteLine("usage: Temper.EngineBenchmark train|generate CHECKPOINT [steps|tokens] [mixed]");
    return 2;
}

using var model = Checkpoint.Load(folder);
var count = args.Length > 2 ? int.Parse(args[2], CultureInfo.InvariantCulture) : 40;
if (what == "train")
{
    Train(model, count, args.Contains("mixed") ? Precision.Mixed : Precision.Float32);
}
else
{
    Generate(model, count);
}

return 0;

// The batch of train.py: the same ids, the second half of every row supervised, the same batch at every step.
static void Train(CausalModel model, int steps, Precision precision)
{
    var rows = Enumerable.Range(0, Rows).Select(r => new EncodedExample(
        [.. Enumerable.Range(0, Length).Select(t => (r * 7919 + t * 104729) % model.Config.VocabularySize)],
        [.. Enumerable.Range(0, Length).Select(t => t >= Length / 2)], $"{r}")).ToArray();
    var (watch, cpu, early, late) = (new Stopwatch(), TimeSpan.Zero, 0L, 0L); // the most that was resident in the second tenth of the steps and in the last
    var result = Trainer.Train(
        model, rows, new() { Steps = Warm + steps, BatchSize = Rows, LearningRate = 1e-4, Warmup = 0, Schedule = RateSchedule.Constant, Precision = precision }, [],
        TrainerOptions.Default with
        {
            Progress = p =>
            {
                if (p.Step == Warm)
                {
                    cpu = Environment.CpuUsage.TotalTime;
                    watch.Start();
                }

                var tenth = 10 * (p.Step - Warm - 1) / steps;
                early = tenth == 1 ? Math.Max(early, Environment.WorkingSet) : early;
                late = tenth == 9 ? Math.Max(late, Environment.WorkingSet) : late;
            },
        },
        CancellationToken.None);
    Console.WriteLine($"what=train precision={precision} ms_per_step={watch.Elapsed.TotalMilliseconds / steps:f1} cpu_ms_per_step={(Environment.CpuUsage.TotalTime - cpu).TotalMilliseconds / steps:f1} loss={result.Losses[^1]:f5} rss_early={early >> 20} rss_late={late >> 20}");
}

// Random prompts of 32 tokens; no end token, so that all rows run to the end.
static void Generate(CausalModel model, int tokens)
{
    int[][] Prompts(int n) => [.. Enumerable.Range(0, n).Select(r => Enumerable.Range(0, 32).Select(t => (r * 31 + t * 17) % model.Config.VocabularySize).ToArray())];
    double PerSecond(int batch, Func<int[][], int> run)
    {
        run(Prompts(batch)); // warm
        var watch = Stopwatch.StartNew();
        return run(Prompts(batch)) / watch.Elapsed.TotalSeconds;
    }

    var generator = new TokenGenerator(model, endToken: -1);
    int Cached(int[][] prompts) => generator.Generate(prompts, Sampling.Greedy with { MaxTokens = tokens }, CancellationToken.None).Sum(o => o.Length);
    int Uncached(int[][] prompts)
    {
        using var quiet = no_grad();
        var ids = prompts[0].Select(i => (long)i).ToList();
        for (var step = 0; step < tokens; step++)
        {
            using var scope = NewDisposeScope();
            var hidden = model.Hidden(model.Embed(tensor(ids.ToArray(), 1, ids.Count)), ForwardOptions.Default);
            ids.Add(model.Logits(hidden.select(1, ids.Count - 1)).argmax(-1).item<long>());
        }

        return tokens;
    }

    var (one, cached, many) = (PerSecond(1, Uncached), PerSecond(1, Cached), PerSecond(32, Cached));
    Console.WriteLine($"what=generate batch1_no_cache={one:f0} batch1_cache={cached:f0} batch32_cache={many:f0} ratio={many / one:f1}");
}
