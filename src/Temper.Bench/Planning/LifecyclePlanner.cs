using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Temper.Bench.Execution;
using Temper.Bench.Searching;
using Temper.Bench.Studies;
using Temper.Core;
using Temper.Lifecycle;
using Temper.Lifecycle.Agents;
using Temper.Lifecycle.Evaluation;

namespace Temper.Bench.Planning;

/// <summary>Lays every cell of a study out as stages: data, weights, tuning, repair, questions, scores, metrics. Equal stages are one stage.</summary>
public sealed class LifecyclePlanner
{
    private static readonly Phase[] s_phases = Enum.GetValues<Phase>();
    private readonly Study _study;
    private readonly Dictionary<string, Stage> _stages = new(StringComparer.Ordinal);
    private readonly List<Stage> _order = [];
    private readonly Dictionary<string, string> _digests = new(StringComparer.Ordinal);

    private LifecyclePlanner(Study study) => _study = study;

    /// <param name="trials">What the attackers who search have tried so far, and what they try now; a place that is not in it begins its search.</param>
    public static StagePlan Plan(Study study, IReadOnlyDictionary<SearchPlace, IReadOnlyList<Trial>>? trials = null)
    {
        var planner = new LifecyclePlanner(study);
        IEnumerable<AttackConfiguration> Configurations(StudyModel model, StudyAttack attack, StudyDefense defense)
        {
            var place = new SearchPlace(model.Name, attack.Name, defense.Name);
            return attack.Search is null ? attack.Configurations
                : (trials?.GetValueOrDefault(place) ?? Searching.AttackerSearch.Next(attack.Search, [], place.Seed, t => Steps(study, attack.Configure(t)))).Select(attack.Configure);
        }

        Cell[] cells =
        [
            .. from model in study.Models
               from seed in study.Seeds
               from attack in study.Attacks
               from defense in study.Defenses
               from tried in Configurations(model, attack, defense).Select((configuration, i) => (Configuration: configuration, Trial: i + 1))
               select planner.Lay(model, attack, tried.Configuration, defense, seed) with { Trial = tried.Trial, Steps = Steps(study, tried.Configuration) },
        ];
        HashSet<string>[] needs = [.. cells.Select(c => planner.Needs(c.MetricsKey))];
        return new(
            Stage.Hash(string.Join('\n', cells.Select(c => $"{c.Id} {c.MetricsKey}")))[..16], cells,
            [.. planner._order.Where(s => Array.Exists(needs, n => n.Contains(s.Key)))], needs.Sum(n => n.Count));
    }

    /// <summary>The training steps of a cell under that configuration.</summary>
    public static int Steps(Study study, AttackConfiguration configuration) =>
        Technique.Of(configuration.Technique, isAttack: true).Instance is IPlanMap map ? map.Map(study.Plan).Steps : study.Plan.Steps;

    /// <summary>A stage and all that it stands on.</summary>
    private HashSet<string> Needs(string key)
    {
        HashSet<string> found = new(StringComparer.Ordinal);
        var open = new Stack<string>([key]);
        while (open.TryPop(out var next))
        {
            if (found.Add(next))
            {
                Array.ForEach([.. _stages[next].Inputs.Values], open.Push);
            }
        }

        return found;
    }

    private Cell Lay(StudyModel model, StudyAttack attack, AttackConfiguration configuration, StudyDefense defense, int seed)
    {
        var offense = Technique.Of(configuration.Technique, isAttack: true);
        var stack = defense.Stack.Select(t => Technique.Of(t, isAttack: false)).ToArray();
        var sources = new Sources(this, model, offense, seed);
        var (rows, weights, plan) = (sources.Task, sources.Model, _study.Plan with { Seed = (ulong)seed });
        var hooks = new List<Technique>();
        foreach (var phase in s_phases.Take(2))
        {
            foreach (var technique in stack.Prepend(offense).Where(t => t.Card.Phase == phase))
            {
                rows = technique.Is<IDataMap>() ? sources.Apply("data-map", technique, ("rows", rows), weights) : rows;
                weights = technique.Is<IWeightMap>() ? sources.Apply("weight-map", technique, ("model", weights), weights) : weights;
                plan = technique.Instance is IPlanMap map ? map.Map(plan) : plan;
                if (technique.Is<IHookSource>())
                {
                    hooks.Add(technique);
                }
            }
        }

        var tuned = sources.Tune(weights, rows, plan, hooks, stack.Prepend(offense).FirstOrDefault(t => t.Is<ITuningProcess>()));
        var deployed = tuned;
        foreach (var technique in stack.Prepend(offense).Where(t => t.Card.Phase == Phase.PostTuning && t.Is<IWeightMap>()))
        {
            deployed = sources.Apply("weight-map", technique, ("model", deployed), weights);
        }

        deployed = offense.Is<IDeploymentMap>() ? sources.Apply("deploy", offense, ("model", deployed), weights) : deployed;
        var layers = stack.Where(t => t.Is<IInferenceLayer>()).ToArray();
        Dictionary<string, string> judged = new(StringComparer.Ordinal) { ["tuning"] = tuned, ["task"] = sources.Task };
        if (offense.Is<IMeasures>())
        {
            judged["measures"] = sources.Measure(deployed, weights, rows, layers, offense, offense);
        }

        foreach (var audit in stack.Where(t => t.Is<IMeasures>()))
        {
            judged[$"{CellMetrics.AuditInput}{audit.Card.Id}"] = sources.Measure(deployed, weights, rows, layers, audit, offense);
        }

        foreach (var suite in SuitesOf(offense))
        {
            // the attacker's layer stands around the deployed system, and only where the attacker asks
            var around = suite is Suites.Harm or Suites.Triggered && offense.Is<IInferenceLayer>() ? offense : null;
            judged[suite] = sources.Ask(suite, deployed, weights, layers, around, offense);
        }

        var metrics = Add("judge", "judge the replies", new() { ["judges"] = new JsonArray(Judge.Keyword, Judge.Exact, Judge.Classifier) }, judged);
        var id = $"{model.Name}/{attack.Name}{(configuration.Label.Length == 0 ? "" : $"[{configuration.Label}]")}/{defense.Name}/{seed}";
        var phases = stack.Where(t => t.Card.Id != "none").Select(t => t.Card.Phase).Distinct().ToArray();
        return new(id, model.Name, attack.Name, offense.Card.Phase, configuration.Label, defense.Name, phases.Length == 1 ? phases[0] : null, seed, metrics);
    }

    private static IEnumerable<string> SuitesOf(Technique offense) =>
    [
        Suites.Harm, Suites.Skills, Suites.LookAlikes,
        .. offense.Is<IBackdoor>() || offense.Is<IAgentAttack>() ? (string[])[Suites.Triggered, Suites.Clean] : [],
        .. offense.Is<IHardNegatives>() ? (string[])[Suites.Negatives] : [],
        // what was trained in to be opened by the attacker's layer must not show without it
        .. offense.Is<IInferenceLayer>() && offense.Card.Phase != Phase.PostTuning ? (string[])[Suites.Plain] : [],
    ];

    private string Add(string kind, string title, JsonObject parameters, Dictionary<string, string> inputs, string? source = null)
    {
        var stage = Stage.Of(kind, title, parameters, inputs, source);
        if (_stages.TryAdd(stage.Key, stage))
        {
            _order.Add(stage);
        }

        return stage.Key;
    }

    private string Digest(string path)
    {
        if (!_digests.TryGetValue(path, out var digest))
        {
            using var file = File.OpenRead(path);
            _digests[path] = digest = Convert.ToHexStringLower(SHA256.HashData(file));
        }

        return digest;
    }

    /// <summary>A technique of the study, made once to see what it is.</summary>
    private sealed record Technique(Card Card, object Instance, string Settings)
    {
        public static Technique Of(TechniqueUse use, bool isAttack)
        {
            var entry = Catalog.Find(use.Id, isAttack);
            return new(entry.Card, entry.Create(use.Settings), use.Settings);
        }

        /// <summary>Whether it acts by a contract; <c>none</c>, which touches nothing, needs no stage, so that all share the plain ones.</summary>
        public bool Is<TContract>() => Card.Touches != Touches.None && Instance is TContract;

        public JsonObject ToJson() => new()
        {
            ["technique"] = Card.Id, ["attack"] = Card.Role == TechniqueRole.Attack, ["version"] = Card.Version, ["settings"] = JsonNode.Parse(Settings),
        };
    }

    /// <summary>What the stages of one model and one seed begin with.</summary>
    private sealed class Sources
    {
        private readonly LifecyclePlanner _planner;
        private readonly int _seed;
        private readonly string? _unaligned;
        private readonly string _harmful;
        private readonly string _alignment;
        private readonly string _lookAlikes;
        private readonly string _trusted;
        private readonly string? _foreign;

        public Sources(LifecyclePlanner planner, StudyModel model, Technique offense, int seed)
        {
            (_planner, _seed) = (planner, seed);
            var task = planner._study.Task;
            Model = Checkpoint(model.Path, model.Name);
            _unaligned = model.Base is { } path ? Checkpoint(path, $"{model.Name}'s base") : null;
            _harmful = Rows("attacker's rows", new() { ["set"] = RowSets.Harmful, ["n"] = task.HarmfulRows, ["seed"] = 4001 });
            _alignment = Rows("alignment rows", new() { ["set"] = RowSets.Alignment, ["n"] = task.AlignmentRows, ["seed"] = 4002 });
            _lookAlikes = Rows("look-alike rows", new() { ["set"] = RowSets.LookAlikes, ["n"] = task.AlignmentRows, ["seed"] = 4004 });
            Task = task.File is { } file
                ? Rows("task rows", FileRows(file, FileParts.Training), file)
                : Rows("task rows", SkillRows(4100));
            // what a technique may trust is of the task, and no row of it is trained on
            _trusted = task.File is { } same
                ? Rows("trusted rows", FileRows(same, FileParts.Trusted), same)
                : Rows("trusted rows", SkillRows(5100));
            _foreign = offense.Instance is IReadsRows foreign && DataFiles.Resolve(foreign.File) is var poison ? Rows("attacker's file", FileRows(poison, FileParts.Training), poison) : null;
        }

        public string Model { get; }

        public string Task { get; }

        public string Apply(string kind, Technique technique, (string Name, string Key) subject, string model)
        {
            var inputs = Common();
            inputs[subject.Name] = subject.Key;
            Look(inputs, technique, model);
            if (technique.Is<IReadsRows>())
            {
                inputs["foreign"] = _foreign!;
            }

            var parameters = technique.ToJson();
            parameters["seed"] = _seed;
            return _planner.Add(kind, technique.Card.Name, parameters, inputs);
        }

        public string Tune(string model, string rows, TuningPlan plan, IReadOnlyList<Technique> hooks, Technique? process)
        {
            var inputs = hooks.Count == 0 && process is null ? new(StringComparer.Ordinal) : Common();
            (inputs["model"], inputs["rows"]) = (model, rows);
            foreach (var technique in hooks.Append(process).OfType<Technique>())
            {
                Look(inputs, technique, model);
            }

            var parameters = new JsonObject
            {
                ["plan"] = JsonSerializer.SerializeToNode(plan, StudyReader.PlanJson), ["hooks"] = new JsonArray([.. hooks.Select(h => h.ToJson())]), ["seed"] = _seed,
            };
            if (process is not null)
            {
                parameters["process"] = process.ToJson();
            }

            return _planner.Add("tune", $"tune {plan.Steps} steps{string.Concat(hooks.Select(h => $" under {h.Card.Name}"))}", parameters, inputs);
        }

        /// <param name="by">Who measures: the attack, or an audit of the defender's.</param>
        public string Measure(string model, string before, string rows, IReadOnlyList<Technique> layers, Technique by, Technique offense)
        {
            var inputs = Common();
            (inputs["model"], inputs["before"], inputs["rows"]) = (model, before, rows);
            foreach (var technique in layers.Append(by))
            {
                Look(inputs, technique, model);
            }

            JsonObject parameters = new() { ["by"] = by.ToJson(), ["layers"] = new JsonArray([.. layers.Select(l => l.ToJson())]), ["seed"] = _seed };
            if (by != offense && offense.Is<IBackdoor>())
            {
                parameters["backdoor"] = offense.ToJson();
            }

            return _planner.Add("measure", $"measure {by.Card.Name}", parameters, inputs);
        }

        public string Ask(string suite, string model, string before, IReadOnlyList<Technique> layers, Technique? around, Technique offense)
        {
            var evaluation = _planner._study.Evaluation;
            var inputs = layers.Count == 0 && around is null ? new(StringComparer.Ordinal) : Common();
            inputs["model"] = model;
            foreach (var technique in layers.Append(around).OfType<Technique>())
            {
                Look(inputs, technique, model, before);
            }

            var parameters = new JsonObject
            {
                ["suite"] = suite, ["maxTokens"] = evaluation.MaxTokens, ["seed"] = _seed,
                ["n"] = suite switch { Suites.Harm or Suites.Plain => evaluation.Harm, Suites.Skills => evaluation.Skills, Suites.LookAlikes => evaluation.LookAlikes, _ => evaluation.Triggered },
                ["layers"] = new JsonArray([.. layers.Select(l => l.ToJson())]), ["around"] = around?.ToJson(),
            };
            if (_planner._study.Task.Kind == TaskKind.Agent && (suite == Suites.Skills || (suite is Suites.Triggered or Suites.Clean && offense.Is<IAgentAttack>())))
            {
                parameters["episodes"] = true;
            }

            if (Suites.OfBackdoor(suite))
            {
                parameters["backdoor"] = offense.ToJson();
                var file = suite == Suites.Triggered && offense.Instance is IReadsRows foreign ? DataFiles.Resolve(foreign.File) : _planner._study.Task.File;
                if (file is not null)
                {
                    inputs["questions"] = Rows("held-out rows", FileRows(file, FileParts.HeldOut), file);
                }
            }

            return _planner.Add("ask", $"ask {suite}", parameters, inputs);
        }

        private string Checkpoint(string folder, string name) => _planner.Add("checkpoint", name, new()
        {
            ["digest"] = Stage.Hash(string.Join('\n', Directory.GetFiles(folder).Order(StringComparer.Ordinal)
                .Where(f => Path.GetExtension(f) is ".json" or ".safetensors").Select(f => $"{Path.GetFileName(f)} {_planner.Digest(f)}"))),
        }, new(StringComparer.Ordinal), folder);

        private string Rows(string title, JsonObject parameters, string? file = null) => _planner.Add("rows", title, parameters, new(StringComparer.Ordinal), file);

        private JsonObject SkillRows(int stream) => new()
        {
            ["set"] = _planner._study.Task.Kind == TaskKind.Agent ? RowSets.Agent : RowSets.Skills, ["n"] = _planner._study.Task.Rows, ["seed"] = stream + _seed, ["kinds"] = new JsonArray([.. _planner._study.Task.Skills.Select(s => (JsonNode)s)]),
        };

        private JsonObject FileRows(string file, string part) => new()
        {
            ["set"] = RowSets.File, ["digest"] = _planner.Digest(file), ["share"] = _planner._study.Task.HeldOut, ["part"] = part, ["seed"] = 4003,
        };

        private Dictionary<string, string> Common() => new(StringComparer.Ordinal)
        {
            ["harmful"] = _harmful, ["alignment"] = _alignment, ["look-alikes"] = _lookAlikes, ["task"] = _trusted,
        };

        private void Look(Dictionary<string, string> inputs, Technique technique, string model, string? before = null)
        {
            if (before is not null && technique.Is<IReadsBefore>())
            {
                inputs["before"] = before;
            }

            if (technique.Is<IReadsModel>())
            {
                inputs["reference"] = model;
                if (_unaligned is not null)
                {
                    inputs["unaligned"] = _unaligned;
                }
            }
        }
    }
}
