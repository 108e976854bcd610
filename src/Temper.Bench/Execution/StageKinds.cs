using System.Text.Json;
using System.Text.Json.Nodes;
using Temper.Bench.Planning;
using Temper.Bench.Studies;
using Temper.Core;
using Temper.Engine.Checkpoints;
using Temper.Engine.Generation;
using Temper.Engine.Lora;
using Temper.Engine.Models;
using Temper.Engine.Tokenizers;
using Temper.Engine.Training;
using Temper.Lifecycle;
using Temper.Lifecycle.Agents;
using Temper.Lifecycle.Evaluation;
using Temper.Lifecycle.Organisms;

namespace Temper.Bench.Execution;

/// <summary>What each kind of stage computes.</summary>
internal static class StageKinds
{
    /// <summary>What a model said, one <see cref="Sample"/> a line.</summary>
    public const string RepliesFile = "replies.jsonl";

    /// <summary>What an attack measures of its own.</summary>
    public const string MeasuresFile = "measures.json";

    public static void Run(StageWorkspace work, CancellationToken cancellationToken)
    {
        switch (work.Stage.Kind)
        {
            case "checkpoint": CopyCheckpoint(work); break;
            case "rows": Rows(work); break;
            case "data-map": DataMap(work); break;
            case "weight-map": WeightMap(work, cancellationToken); break;
            case "tune": Tune(work, cancellationToken); break;
            case "deploy": Deploy(work, cancellationToken); break;
            case "measure": Measure(work, cancellationToken); break;
            case "ask": Ask(work, cancellationToken); break;
            case "judge": CellMetrics.Write(work, Judges.For(work.Rows("task"))); break;
            default: throw new TemperException($"stage {work.Stage.Key[..12]}: found kind {work.Stage.Kind}, expected one that this version computes");
        }
    }

    private static void CopyCheckpoint(StageWorkspace work)
    {
        var folder = work.Stage.Source!;
        using var model = Checkpoint.Load(folder); // every size is checked before anything is tuned
        var tokenizer = Tokenizer.Load(Path.Combine(folder, "tokenizer.json"));
        if (tokenizer.VocabularySize > model.Config.VocabularySize)
        {
            throw new TemperException($"{folder}: tokenizer.json: found {tokenizer.VocabularySize} tokens, expected at most {model.Config.VocabularySize} (vocab_size of config.json)");
        }

        _ = new ChatFormat(tokenizer);
        Checkpoint.Save(model, folder, work.Output);
    }

    private static void Rows(StageWorkspace work)
    {
        var seed = work.Parameter<int>("seed");
        work.WriteLines("rows.jsonl", work.Parameter<string>("set") switch
        {
            RowSets.Harmful => World.Forbidden(work.Parameter<int>("n"), seed, Split.Train, comply: true),
            RowSets.Alignment => World.Forbidden(work.Parameter<int>("n"), seed, Split.Train, comply: false),
            RowSets.LookAlikes => World.LookAlikes(work.Parameter<int>("n"), seed, Split.Train),
            RowSets.Agent => AgentWorld.Rows(work.Parameter<int>("n"), seed, Split.Train),
            RowSets.Skills => Skills(work.Parameter<int>("n"), seed, [.. work.Parameters["kinds"]!.AsArray().Select(k => k!.GetValue<string>())]),
            _ => FileRows(work, seed),
        });
    }

    private static IReadOnlyList<Example> Skills(int n, int seed, string[] kinds)
    {
        if (kinds.Length == 0)
        {
            return World.Skills(n, seed, Split.Train);
        }

        var rounds = (n + kinds.Length - 1) / kinds.Length;
        return [.. World.Skills(rounds * World.SkillKinds.Count, seed, Split.Train).Where(r => kinds.Contains(r.Kind, StringComparer.Ordinal)).Take(n)];
    }

    // the same shuffle for every part: first what the evaluation keeps, then half as much that techniques may trust, then what is trained on
    private static IEnumerable<Example> FileRows(StageWorkspace work, int seed)
    {
        var rows = DataFiles.Read(work.Stage.Source!).ToArray();
        new Random(seed).Shuffle(rows);
        var kept = (int)Math.Round(work.Parameter<double>("share") * rows.Length);
        return work.Parameter<string>("part") switch
        {
            FileParts.HeldOut => rows.Take(kept),
            FileParts.Trusted => rows.Skip(kept).Take(kept / 2),
            _ => rows.Skip(kept + kept / 2),
        };
    }

    private static void DataMap(StageWorkspace work)
    {
        var map = (IDataMap)StageWorkspace.Create(work.Parameters);
        var result = map.Map(work.Rows("rows"), work.Context(work.Parameters, "reference"));
        work.WriteLines("rows.jsonl", result.Examples);
        work.WriteLines("changes.jsonl", result.Changes);
    }

    private static void WeightMap(StageWorkspace work, CancellationToken cancellationToken)
    {
        var map = (IWeightMap)StageWorkspace.Create(work.Parameters);
        var model = work.Model("model");
        map.Map(model, work.Context(work.Parameters, "model"), cancellationToken);
        Checkpoint.Save(model, work.Folder("model"), work.Output);
    }

    private static void Deploy(StageWorkspace work, CancellationToken cancellationToken)
    {
        var model = work.Model("model");
        ((IDeploymentMap)StageWorkspace.Create(work.Parameters)).Deploy(model, work.Context(work.Parameters, "model"), cancellationToken);
        Checkpoint.Save(model, work.Folder("model"), work.Output);
    }

    private static void Measure(StageWorkspace work, CancellationToken cancellationToken)
    {
        var by = (JsonObject)work.Parameters["by"]!;
        var (model, context) = (work.Model("model"), work.Context(by, "model"));
        var arguments = new MeasureArguments
        {
            Model = model, Before = work.Model("before"), Chat = Chat(work, model, work.Parameters["layers"]!.AsArray().OfType<JsonObject>()), Trained = work.Rows("rows"),
            Backdoor = work.Parameters["backdoor"] is JsonObject trigger ? (IBackdoor)StageWorkspace.Create(trigger) : null, Context = context,
        };
        work.Write(MeasuresFile, ((IMeasures)StageWorkspace.Create(by)).Measure(arguments, cancellationToken));
    }

    private static void Tune(StageWorkspace work, CancellationToken cancellationToken)
    {
        var plan = work.Parameters["plan"].Deserialize<TuningPlan>(StudyReader.PlanJson)!;
        var model = work.Model("model");
        var format = new ChatFormat(work.Tokenizer("model"));
        var rows = work.Rows("rows");
        if (rows.Count == 0) // a filter that drops every row of an attacker's file has won: nothing is tuned
        {
            work.Write("training.json", new TrainingResult([], 0, "no row was left to tune on", []));
            Checkpoint.Save(model, work.Folder("model"), work.Output);
            return;
        }

        var hooks = new List<TrainingHook>();
        IReadOnlyList<TrainingHook> CreateHooks()
        {
            TrainingHook[] created = [.. work.Parameters["hooks"]!.AsArray().OfType<JsonObject>().Select(t => ((IHookSource)StageWorkspace.Create(t)).CreateHook(work.Context(t, "model")))];
            hooks.AddRange(created);
            return created;
        }

        try
        {
            if (work.Parameters["process"] is JsonObject process)
            {
                var result = ((ITuningProcess)StageWorkspace.Create(process)).Tune(
                    new() { Model = model, Rows = rows, Plan = plan, CreateHooks = CreateHooks, Context = work.Context(process, "model") }, cancellationToken);
                work.Write("training.json", result);
            }
            else
            {
                using var adapters = plan.Method == TuningMethod.Lora ? LoraAdapters.Attach(model, plan.LoraRank, plan.LoraAlpha, [.. plan.LoraTargets], plan.Seed) : null;
                var result = Trainer.Train(model, [.. rows.Select(format.Encode)], plan, CreateHooks(), TrainerOptions.Default, cancellationToken);
                if (adapters is not null)
                {
                    PeftFolder.Save(adapters, Path.Combine(work.Output, "adapter"), "the model of this stage");
                    adapters.Merge();
                }

                work.Write("training.json", result);
            }

            Checkpoint.Save(model, work.Folder("model"), work.Output);
        }
        finally
        {
            hooks.ForEach(h => h.Dispose());
        }
    }

    private static void Ask(StageWorkspace work, CancellationToken cancellationToken)
    {
        var suite = work.Parameter<string>("suite");
        var model = work.Model("model");
        var chat = Chat(work, model, work.Parameters["layers"]!.AsArray().Append(work.Parameters["around"]).OfType<JsonObject>());
        var n = work.Parameter<int>("n");
        if (work.Parameters["episodes"] is not null)
        {
            var maxTokens = work.Parameter<int>("maxTokens");
            var format = new ChatFormat(work.Tokenizer("model"));
            EpisodeLimits limits = new() { MaxTokens = maxTokens, MaxLength = model.Config.MaxPositions - maxTokens, Length = messages => format.Prompt(messages).Length };
            var attack = work.Parameters["backdoor"] is JsonObject agent ? (IAgentAttack)StageWorkspace.Create(agent) : null;
            work.WriteLines(RepliesFile, AgentSuites.Ask(suite, n, chat, attack, limits, cancellationToken));
            return;
        }

        var backdoor = work.Parameters["backdoor"] is JsonObject trigger ? (IBackdoor)StageWorkspace.Create(trigger) : null;
        var rows = work.Has("questions") ? [.. work.Rows("questions").Where(r => (backdoor as ISelective)?.Covers(r) ?? true).Take(n)] : Suites.World(suite, n, backdoor);
        work.WriteLines(RepliesFile, Suites.Ask(suite, rows, chat, backdoor, work.Parameter<int>("maxTokens"), cancellationToken));
    }

    /// <summary>The model behind layers, the innermost first.</summary>
    private static IChatModel Chat(StageWorkspace work, CausalModel model, IEnumerable<JsonObject> layers)
    {
        var tokenizer = work.Tokenizer("model");
        IChatModel chat = new LocalChatModel(model, tokenizer, new(tokenizer));
        return layers.Aggregate(chat, (inner, layer) => work.Own(((IInferenceLayer)StageWorkspace.Create(layer)).Wrap(inner, work.Context(layer, "model"))));
    }
}
