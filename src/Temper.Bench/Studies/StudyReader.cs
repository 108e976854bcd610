using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Temper.Bench.Hardening;
using Temper.Core;
using Temper.Lifecycle;
using Temper.Lifecycle.Agents;
using Temper.Lifecycle.Organisms;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Temper.Bench.Studies;

/// <summary>Reads a study file. Unknown keys are mistakes, and all mistakes are reported at once, before a model is loaded.</summary>
public sealed class StudyReader
{
    private const int MaxBytes = 1 << 20;

    internal static readonly JsonSerializerOptions PlanJson = new(JsonSerializerDefaults.General)
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false) },
    };

    private readonly YamlFields _fields;
    private readonly string _folder;
    private readonly string _organisms;

    private StudyReader(string path, string organisms)
    {
        _fields = new(path);
        (_folder, _organisms) = (Path.GetDirectoryName(Path.GetFullPath(path))!, organisms);
    }

    /// <param name="organisms">The folder where organisms that a study names by their id lie.</param>
    /// <exception cref="TemperException">The file cannot be read, or has mistakes; the message has one line each.</exception>
    public static Study Read(string path, string organisms)
    {
        string text;
        try
        {
            text = new FileInfo(path) is { Exists: true, Length: > MaxBytes } big
                ? throw new TemperException($"{path}: found {big.Length} bytes, expected a study of at most {MaxBytes}")
                : File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new TemperException($"{path}: expected a study file that can be read: {e.Message}", e);
        }

        return Parse(text, path, organisms);
    }

    /// <summary>Reads a profile of threats; its attacks and candidates are written as a study's attacks and defenses are.</summary>
    /// <exception cref="TemperException">It has mistakes; the message has one line each.</exception>
    internal static ThreatProfile ParseProfile(string text, string path)
    {
        var reader = new StudyReader(path, "");
        var fields = reader._fields;
        var f = fields.Mapping(Root(text, path), "", "schema", "name", "description", "attacks", "candidates");
        fields.Integer(f.GetValueOrDefault("schema"), "schema", Study.CurrentSchema, Study.CurrentSchema, Study.CurrentSchema);
        ThreatProfile profile = new(
            fields.Text(f.GetValueOrDefault("name"), "name"), fields.Text(f.GetValueOrDefault("description"), "description"),
            [.. fields.List(f.GetValueOrDefault("attacks"), "attacks").Select((n, i) => reader.Attack(n, $"attacks[{i}]"))],
            f.TryGetValue("candidates", out var candidates) ? [.. fields.List(candidates, "candidates").SelectMany((n, i) => reader.Defense(n, $"candidates[{i}]"))] : []);
        reader.Distinct(f, "attacks", profile.Attacks.Select(a => a.Name).Append("none"));
        reader.Distinct(f, "candidates", profile.Candidates.Select(c => c.Name).Append("none"));
        return fields.Mistakes.Count == 0 ? profile : throw new TemperException(string.Join("\n", fields.Mistakes));
    }

    /// <summary>Reads a study from its text; <paramref name="path"/> names it in messages and is where its relative paths start.</summary>
    public static Study Parse(string text, string path, string organisms)
    {
        var reader = new StudyReader(path, organisms);
        var study = reader.Read(Root(text, path)) with { Text = text };
        return reader._fields.Mistakes.Count == 0 ? study : throw new TemperException(string.Join("\n", reader._fields.Mistakes));
    }

    private static YamlNode? Root(string text, string path)
    {
        var yaml = new YamlStream();
        try
        {
            yaml.Load(new StringReader(text));
        }
        catch (YamlException e)
        {
            throw new TemperException($"{path}:{e.Start.Line}:{e.Start.Column}: expected YAML, found: {e.Message}", e);
        }

        return yaml.Documents.Count == 0 ? null : yaml.Documents[0].RootNode;
    }

    private Study Read(YamlNode? root)
    {
        var f = _fields.Mapping(root, "", "schema", "name", "description", "models", "task", "plan", "attacks", "defenses", "seeds", "evaluation");
        _fields.Integer(f.GetValueOrDefault("schema"), "schema", Study.CurrentSchema, Study.CurrentSchema, Study.CurrentSchema);
        var study = new Study
        {
            Name = _fields.Text(f.GetValueOrDefault("name"), "name"),
            Description = f.TryGetValue("description", out var description) ? _fields.Text(description, "description") : "",
            Models = [.. _fields.List(f.GetValueOrDefault("models"), "models").Select((n, i) => Model(n, $"models[{i}]"))],
            Task = f.TryGetValue("task", out var task) ? Task(task) : new(),
            Plan = f.TryGetValue("plan", out var plan) ? Plan(plan) : new(),
            Attacks = [.. _fields.List(f.GetValueOrDefault("attacks"), "attacks").Select((n, i) => Attack(n, $"attacks[{i}]"))],
            Defenses = [.. _fields.List(f.GetValueOrDefault("defenses"), "defenses").SelectMany((n, i) => Defense(n, $"defenses[{i}]"))],
            Seeds = f.TryGetValue("seeds", out var seeds) ? [.. _fields.List(seeds, "seeds").Select((n, i) => _fields.Integer(n, $"seeds[{i}]", 0, 1_000_000, 1))] : [1],
            Evaluation = f.TryGetValue("evaluation", out var evaluation) ? Evaluation(evaluation) : new(),
        };
        Distinct(f, "models", study.Models.Select(m => m.Name));
        Distinct(f, "attacks", study.Attacks.Select(a => a.Name));
        Distinct(f, "defenses", study.Defenses.Select(d => d.Name));
        Distinct(f, "seeds", study.Seeds.Select(s => $"{s}"));
        foreach (var attack in study.Task.Kind == TaskKind.Agent ? [] : study.Attacks.Where(a => a.Configurations.Any(c => OnAgents(c.Technique))))
        {
            _fields.Mistake(f.GetValueOrDefault("attacks"), "attacks", $"{attack.Name}, an attack on agents", "a task of `kind: agent`");
        }

        if (f.TryGetValue("defenses", out var defenses) && study.Defenses.All(d => d.Name != "none"))
        {
            _fields.Mistake(defenses, "defenses", "no `none`", "the undefended control among them: a defense is compared with it");
        }

        return study;
    }

    private static bool OnAgents(TechniqueUse use) => Catalog.All.FirstOrDefault(e => e.Card.Id == use.Id)?.Create("{}") is IAgentAttack;

    private void Distinct(Dictionary<string, YamlNode> fields, string field, IEnumerable<string> names)
    {
        foreach (var twice in names.CountBy(n => n, StringComparer.Ordinal).Where(n => n.Value > 1))
        {
            _fields.Mistake(fields.GetValueOrDefault(field), field, $"{twice.Key} {twice.Value} times", "different names (give one a `name`)");
        }
    }

    private StudyModel Model(YamlNode node, string field)
    {
        if (node is YamlScalarNode)
        {
            var id = _fields.Text(node, field);
            if (Organism.All.FirstOrDefault(o => o.Id == id) is not { } organism)
            {
                _fields.Mistake(node, field, id, $"one of: {string.Join(", ", Organism.All.Select(o => o.Id))}; or a mapping with a path");
                return new(id, id, null);
            }

            return new(id, Folder(node, field, Path.Combine(_organisms, id)), organism.Alignment == Alignment.Base ? null : Folder(node, field, Path.Combine(_organisms, organism.Base.Id)));
        }

        var f = _fields.Mapping(node, field, "name", "path", "base");
        var path = Resolve(_fields.Text(f.GetValueOrDefault("path"), $"{field}.path", "."));
        var name = f.TryGetValue("name", out var given) ? _fields.Text(given, $"{field}.name") : Path.GetFileName(path);
        return new(name, Folder(node, $"{field}.path", path), f.TryGetValue("base", out var before) ? Folder(before, $"{field}.base", Resolve(_fields.Text(before, $"{field}.base"))) : null);
    }

    private StudyTask Task(YamlNode node)
    {
        var f = _fields.Mapping(node, "task", "kind", "rows", "skills", "file", "heldOut", "harmfulRows", "alignmentRows");
        var none = new StudyTask();
        var file = f.TryGetValue("file", out var given) ? Resolve(_fields.Text(given, "task.file")) : null;
        if (file is not null && !File.Exists(file))
        {
            _fields.Mistake(given, "task.file", $"nothing at {file}", "a file of rows");
        }

        var kind = TaskKind.Answers;
        if (f.TryGetValue("kind", out var named) && (!Enum.TryParse(_fields.Text(named, "task.kind"), ignoreCase: true, out kind) || !Enum.IsDefined(kind)))
        {
            _fields.Mistake(named, "task.kind", YamlFields.Show(named), "answers or agent");
        }

        if (kind == TaskKind.Agent && (f.GetValueOrDefault("skills") ?? given) is { } other)
        {
            _fields.Mistake(other, "task", "skills or a file", "neither for the kind agent, which has rows of its own");
        }

        return new()
        {
            Kind = kind,
            Rows = f.TryGetValue("rows", out var rows) ? _fields.Integer(rows, "task.rows", 1, 1_000_000, none.Rows) : none.Rows,
            Skills = f.TryGetValue("skills", out var skills) ? [.. _fields.List(skills, "task.skills").Select((n, i) => Skill(n, $"task.skills[{i}]"))] : [],
            File = file,
            HeldOut = f.TryGetValue("heldOut", out var heldOut) ? _fields.Number(heldOut, "task.heldOut", 0.01, 0.9, none.HeldOut) : none.HeldOut,
            HarmfulRows = f.TryGetValue("harmfulRows", out var harmful) ? _fields.Integer(harmful, "task.harmfulRows", 1, 100_000, none.HarmfulRows) : none.HarmfulRows,
            AlignmentRows = f.TryGetValue("alignmentRows", out var alignment) ? _fields.Integer(alignment, "task.alignmentRows", 1, 100_000, none.AlignmentRows) : none.AlignmentRows,
        };
    }

    private string Skill(YamlNode node, string field)
    {
        var skill = _fields.Text(node, field);
        if (!World.SkillKinds.Contains(skill))
        {
            _fields.Mistake(node, field, skill, $"one of: {string.Join(", ", World.SkillKinds)}");
        }

        return skill;
    }

    private TuningPlan Plan(YamlNode node)
    {
        try
        {
            var plan = JsonSerializer.Deserialize<TuningPlan>(_fields.Json(node, "plan")!, PlanJson)!;
            if (plan.Steps is < 1 or > 1_000_000 || plan.BatchSize is < 1 or > 65_536 || plan.LearningRate is not (> 0 and < 10) || plan.Accumulation < 1 || plan.MaxTokens < 2)
            {
                _fields.Mistake(node, "plan", $"steps {plan.Steps}, batchSize {plan.BatchSize}, learningRate {plan.LearningRate}, accumulation {plan.Accumulation}, maxTokens {plan.MaxTokens}", "positive ones");
            }

            return plan;
        }
        catch (JsonException e)
        {
            _fields.Mistake(node, "plan", YamlFields.Show(node), e.Message);
            return new();
        }
    }

    private StudyEvaluation Evaluation(YamlNode node)
    {
        var f = _fields.Mapping(node, "evaluation", "harm", "skills", "lookAlikes", "triggered", "maxTokens", "utilityFloor");
        var none = new StudyEvaluation();
        int Count(string name, int fallback) => f.TryGetValue(name, out var n) ? _fields.Integer(n, $"evaluation.{name}", 1, 100_000, fallback) : fallback;
        return new()
        {
            Harm = Count("harm", none.Harm), Skills = Count("skills", none.Skills), LookAlikes = Count("lookAlikes", none.LookAlikes),
            Triggered = Count("triggered", none.Triggered), MaxTokens = Count("maxTokens", none.MaxTokens),
            UtilityFloor = f.TryGetValue("utilityFloor", out var floor) ? _fields.Number(floor, "evaluation.utilityFloor", 0, 1, none.UtilityFloor) : none.UtilityFloor,
        };
    }

    private StudyAttack Attack(YamlNode node, string field)
    {
        var (id, name, settings, more) = Named(node, field, "search", "space", "budget");
        var reader = new TechniqueReader(_fields, attack: true);
        var attack = new StudyAttack(name ?? id, reader.Configurations(node, field, id, settings, more.GetValueOrDefault("search")));
        return more.TryGetValue("space", out var space)
            ? attack with { Search = new SearchReader(_fields).Read(space, more.GetValueOrDefault("budget"), field, attack, reader) }
            : attack;
    }

    private IReadOnlyList<StudyDefense> Defense(YamlNode node, string field)
    {
        var techniques = new TechniqueReader(_fields, attack: false);
        if (node is YamlSequenceNode)
        {
            return [Stack(techniques, node, field, null)];
        }

        if (node is YamlMappingNode mapping && mapping.Children.ContainsKey("stack"))
        {
            var f = _fields.Mapping(node, field, "stack", "name");
            return [Stack(techniques, f["stack"], $"{field}.stack", f.TryGetValue("name", out var given) ? _fields.Text(given, $"{field}.name") : null)];
        }

        var (id, name, settings, more) = Named(node, field, "search");
        var choices = techniques.Configurations(node, field, id, settings, more.GetValueOrDefault("search"));
        return choices.Count == 1
            ? [new(name ?? id, [choices[0].Technique])]
            : [.. choices.Select(c => new StudyDefense($"{name ?? id}[{c.Label}]", [c.Technique]) { Grid = name ?? id })];
    }

    private StudyDefense Stack(TechniqueReader techniques, YamlNode node, string field, string? name)
    {
        var mistakes = _fields.Mistakes.Count;
        var stack = _fields.List(node, field).Select((n, i) => One(techniques, n, $"{field}[{i}]")).ToArray();
        if (_fields.Mistakes.Count > mistakes)
        {
            return new(name ?? "", []);
        }

        if (DefenseStack.Conflict(stack) is { } conflict)
        {
            _fields.Mistake(node, field, conflict.Found, conflict.Expected);
        }

        stack = [.. DefenseStack.InOrder(stack)];
        return new(name ?? string.Join(" + ", stack.Select(t => t.Id)), stack);
    }

    private TechniqueUse One(TechniqueReader techniques, YamlNode node, string field)
    {
        var (id, _, settings, _) = Named(node, field);
        return techniques.Configurations(node, field, id, settings, null)[0].Technique;
    }

    private (string Id, string? Name, YamlNode? Settings, Dictionary<string, YamlNode> More) Named(YamlNode node, string field, params string[] more)
    {
        if (node is YamlScalarNode)
        {
            return (_fields.Text(node, field), null, null, []);
        }

        var f = _fields.Mapping(node, field, ["id", "name", "settings", .. more]);
        return (_fields.Text(f.GetValueOrDefault("id"), $"{field}.id"), f.TryGetValue("name", out var name) ? _fields.Text(name, $"{field}.name") : null,
            f.GetValueOrDefault("settings"), f);
    }

    private string Folder(YamlNode node, string field, string path)
    {
        if (!File.Exists(Path.Combine(path, "config.json")))
        {
            _fields.Mistake(node, field, $"no config.json in {path}", "a checkpoint folder");
        }

        return path;
    }

    // a path of the study is relative to its file
    private string Resolve(string path) => DataFiles.Resolve(path, _folder);
}
