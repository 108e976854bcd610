using Temper.Bench.Execution;
using Temper.Bench.Planning;
using Temper.Bench.Reports;
using Temper.Bench.Store;
using Temper.Bench.Studies;
using Temper.Core;
using Temper.Lifecycle;

namespace Temper.Bench.Hardening;

/// <summary>Searches the stack of defenses that holds best against a profile of threats: greedy over the parts, successive halving over the candidates, every
/// attacker who searches searching anew against each finalist. Each round is a study in the store, so that what was computed, in whatever study, is not computed again,
/// and a hardening that was stopped goes on.</summary>
public sealed class Hardener
{
    /// <summary>A part must lower the score by so much: less is within what a hundred questions can tell.</summary>
    private const double MinGain = 0.02;

    private const int Keep = 3;

    // what acts in a federation or around an agent's tools has nothing to do here
    private static readonly string[] s_elsewhere = ["coordinate-median", "flame", "krum", "tool-policy", "trimmed-mean"];
    private readonly HardenRequest _request;
    private readonly string _storeFolder;
    private readonly string _output;
    private readonly HardenRunner _run;
    private readonly Action<HardenRound> _ended;
    private readonly TimeProvider _time;
    private readonly long _began;
    private readonly StudyDefense _none = new(StudyGrid.None, [new(StudyGrid.None, "{}")]);
    private readonly List<HardenRound> _rounds = [];
    private readonly List<string> _notes = [];
    private readonly HashSet<string> _refused = new(StringComparer.Ordinal);
    private readonly Dictionary<string, double> _alone = new(StringComparer.Ordinal);
    private readonly StudyDefense[] _pool;
    private double _secondsPerCell;

    /// <param name="output">Where the rounds' studies are written, beside what a caller writes of the result.</param>
    /// <param name="ended">Told of every round when it has ended.</param>
    public Hardener(HardenRequest request, string storeFolder, string output, HardenRunner run, Action<HardenRound> ended, TimeProvider? time = null)
    {
        (_request, _storeFolder, _output, _run, _ended) = (request, storeFolder, output, run, ended);
        _pool = request.Threats.Candidates.Count > 0 ? [.. request.Threats.Candidates] : FromCatalog();
        _time = time ?? TimeProvider.System;
        _began = _time.GetTimestamp();
    }

    private TimeSpan? Left => _request.Time - _time.GetElapsedTime(_began);

    private IReadOnlyList<StudyAttack> Attacks => _request.Threats.Attacks;

    /// <exception cref="TemperException">The undefended lifecycle cannot be measured.</exception>
    public HardenResult Run(CancellationToken cancellationToken)
    {
        var undefended = Evaluate("undefended", 0, 1, Attacks, [], cancellationToken)[0];
        if (undefended.Score is null)
        {
            throw new TemperException($"harden: found no figure for the undefended model ({undefended.Reason}), expected one to compare with");
        }

        var best = undefended;
        try
        {
            var level = 0;
            while (level++ < _request.Depth && best.Score >= MinGain && Step(level, best, cancellationToken) is { } better)
            {
                best = better;
            }

            if (best.Score < MinGain)
            {
                _notes.Add($"{(best == undefended ? "The undefended model" : best.Stack)} has a score below {100 * MinGain:0} points: no further part could lower it by as much.");
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            _notes.Add($"The time was up in the round {_rounds[^1].Name}, which does not count.");
            _rounds.RemoveAt(_rounds.Count - 1);
        }

        return Confirm(undefended, best, cancellationToken);
    }

    /// <summary>One more part; null where none is worth it.</summary>
    private HardenOutcome? Step(int level, HardenOutcome best, CancellationToken cancellationToken)
    {
        var field = Candidates(level, best);
        var rungs = HardenRungs.Of(Attacks, best.Attacks);
        for (var rung = 0; rung < rungs.Count && field.Count > 0; rung++)
        {
            var last = rung + 1 == rungs.Count;
            field = Affordable(field, rungs[rung]);
            if (field.Count == 0)
            {
                break;
            }

            var outcomes = Evaluate($"level {level}, rung {rung + 1}", level, rung + 1, rungs[rung], field, cancellationToken, best, last);
            if (level == 1)
            {
                _refused.UnionWith(outcomes.Where(o => o.Fate is HardenFate.TooCostly or HardenFate.Failed).Select(o => o.Stack));
                foreach (var o in outcomes.Where(o => o.Score is not null))
                {
                    _alone.TryAdd(o.Stack, o.Score!.Value);
                }
            }

            field = [.. outcomes.Where(o => o.Fate is HardenFate.Promoted or HardenFate.Chosen).Select(o => o.Defense)];
        }

        var chosen = _rounds[^1].Level == level ? _rounds[^1].Outcomes.FirstOrDefault(o => o.Fate == HardenFate.Chosen) : null;
        if (chosen is null)
        {
            _notes.Add($"No {(level == 1 ? "defense" : "further defense")} within the budgets lowers the score by {100 * MinGain:0} points, so the search ended {(level == 1 ? "without one" : $"with {level - 1}")}.");
        }

        return chosen;
    }

    private IReadOnlyList<StudyDefense> Candidates(int level, HardenOutcome best)
    {
        TechniqueUse[] stack = level == 1 ? [] : [.. best.Defense.Stack];
        List<StudyDefense> candidates = [];
        // those that do most alone first: there may not be time for all
        foreach (var candidate in _pool.Where(c => !_refused.Contains(c.Name) && !c.Stack.All(stack.Contains)).OrderBy(c => _alone.GetValueOrDefault(c.Name, 1)))
        {
            TechniqueUse[] together = [.. DefenseStack.InOrder([.. stack, .. candidate.Stack])];
            if (together.Length == 1 || DefenseStack.Conflict(together) is not { } conflict)
            {
                candidates.Add(new(Name(together), together));
            }
            else if (level == 2)
            {
                _notes.Add($"{candidate.Name} was not tried beside {best.Stack}: found {conflict.Found}, expected {conflict.Expected}.");
            }
        }

        return candidates;
    }

    // as the profile names its candidates, which may have one technique under several settings
    private string Name(IEnumerable<TechniqueUse> stack) => string.Join(" + ", stack.Select(t => Array.Find(_pool, c => c.Stack is [var only] && only == t)?.Name ?? t.Id));

    private static StudyDefense[] FromCatalog() =>
    [
        .. Catalog.All.Where(e => e.Card.Role is TechniqueRole.Defense or TechniqueRole.Monitor && e.Card.Id != StudyGrid.None && !s_elsewhere.Contains(e.Card.Id, StringComparer.Ordinal) && e.Create("{}") is not ITuningProcess)
            .Select(e => new StudyDefense(e.Card.Id, [new(e.Card.Id, System.Text.Json.Nodes.JsonNode.Parse(Catalog.ToJson(e.DefaultSettings))!.ToJsonString())])),
    ];

    /// <summary>As many stacks as there is time for, with what the confirmation takes kept aside.</summary>
    private IReadOnlyList<StudyDefense> Affordable(IReadOnlyList<StudyDefense> field, IReadOnlyList<StudyAttack> attacks)
    {
        if (Left is not { } left || _secondsPerCell == 0)
        {
            return field;
        }

        var aside = _secondsPerCell * HardenRungs.Cells(Attacks) * _request.ConfirmationSeeds.Count * 2;
        var many = (int)Math.Max(0, (left.TotalSeconds - aside) / (_secondsPerCell * HardenRungs.Cells(attacks) * _request.Seeds.Count));
        if (many >= field.Count)
        {
            return field;
        }

        _notes.Add($"For want of time not tried: {string.Join(", ", field.Skip(many).Select(f => f.Name))}.");
        return [.. field.Take(many)];
    }

    private IReadOnlyList<HardenOutcome> Evaluate(
        string name, int level, int rung, IReadOnlyList<StudyAttack> attacks, IReadOnlyList<StudyDefense> defenses, CancellationToken cancellationToken, HardenOutcome? best = null, bool last = false)
    {
        var round = new HardenRound(name, level, rung, [.. attacks.Select(a => a.Name)], [.. defenses.Select(d => new HardenOutcome(d.Name, null, null, "", null, null, null, HardenFate.Measured, "") { Defense = d })]);
        _rounds.Add(round);
        using var limit = Left is { } left ? new CancellationTokenSource(left > TimeSpan.Zero ? left : TimeSpan.Zero, _time) : new();
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        // the reference must be there, however little time there is
        var (report, done) = Compute(round, attacks, defenses, _request.Seeds, level == 0 ? cancellationToken : linked.Token);
        var outcomes = (level == 0 ? [_none] : defenses).Select(d => HardenOutcome.Of(report, d, _request)).ToArray();
        if (level > 0)
        {
            outcomes = Judge(outcomes, best!, last);
        }

        _rounds[^1] = done with { Outcomes = outcomes };
        _ended(_rounds[^1]);
        return outcomes;
    }

    private static HardenOutcome[] Judge(HardenOutcome[] outcomes, HardenOutcome best, bool last)
    {
        var able = outcomes.Where(o => o.Fate == HardenFate.Measured).OrderBy(o => o.Score).ThenBy(o => o.Mean).ThenByDescending(o => o.UtilityRatio).ThenBy(o => o.Stack, StringComparer.Ordinal).ToArray();
        var on = last ? able.Take(1).Where(o => o.Score <= best.Score - MinGain) : able.Take((able.Length + Keep - 1) / Keep);
        var stay = on.Select(o => o.Stack).ToHashSet(StringComparer.Ordinal);
        return
        [
            .. outcomes.OrderBy(o => o.Score ?? double.MaxValue).Select(o => o.Fate != HardenFate.Measured ? o
                : stay.Contains(o.Stack) ? o with { Fate = last ? HardenFate.Chosen : HardenFate.Promoted } : o with { Fate = HardenFate.Dropped }),
        ];
    }

    private (StudyReport Report, HardenRound Round) Compute(
        HardenRound round, IReadOnlyList<StudyAttack> attacks, IReadOnlyList<StudyDefense> defenses, IReadOnlyList<int> seeds, CancellationToken cancellationToken)
    {
        var study = new Study
        {
            Name = $"harden {round.Name}".Replace(",", "", StringComparison.Ordinal).Replace(' ', '-'), Description = $"A round of hardening {_request.Model.Name} against {_request.Threats.Name}: {round.Name}.",
            Models = [_request.Model], Task = _request.Task, Plan = _request.Plan, Seeds = seeds, Evaluation = _request.Evaluation with { UtilityFloor = 1 - _request.UtilityLoss },
            Attacks = [new(StudyGrid.None, [new("", new(StudyGrid.None, "{}"))]), .. attacks], Defenses = [_none, .. defenses],
        };
        study = study with { Text = StudyWriter.Write(study) };
        var file = Path.Combine(_output, "rounds", $"{study.Name}.yaml");
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, study.Text);
        using var session = new StudySession(study, _storeFolder, SessionUse.Run, _time);
        var (before, cellsBefore) = (session.Stages.Count(s => s.State == StageState.Done), Done(session));
        var began = _time.GetTimestamp();
        _run(session, file, cancellationToken);
        cancellationToken.ThrowIfCancellationRequested();
        if (Done(session) - cellsBefore is > 0 and var cells)
        {
            _secondsPerCell = _time.GetElapsedTime(began).TotalSeconds / cells;
        }

        return (session.Report(), round with { Reused = before, Stages = session.Stages.Count });
    }

    private static int Done(StudySession session)
    {
        var done = session.Stages.Where(s => s.State == StageState.Done).Select(s => s.Key).ToHashSet(StringComparer.Ordinal);
        return session.Plan.Cells.Count(c => done.Contains(c.MetricsKey));
    }

    /// <summary>Measures what was chosen on seeds that the choice did not see, and every part's share in it.</summary>
    private HardenResult Confirm(HardenOutcome undefended, HardenOutcome best, CancellationToken cancellationToken)
    {
        IReadOnlyList<StudyDefense> chosen = best == undefended ? [] : [best.Defense];
        var (evidence, round) = Compute(new("confirmation", best == undefended ? 0 : best.Defense.Stack.Count, 1, [.. Attacks.Select(a => a.Name)], []), Attacks, chosen, _request.ConfirmationSeeds, cancellationToken);
        _rounds.Add(round with { Outcomes = [.. chosen.Prepend(_none).Select(d => HardenOutcome.Of(evidence, d, _request))] });
        _ended(_rounds[^1]);
        StudyReport? parts = null;
        var plain = Attacks.Where(a => a.Search is null).ToArray();
        if (best.Defense.Stack.Count > 1 && plain.Length > 0)
        {
            var rests = best.Defense.Stack.Select(part => best.Defense.Stack.Where(t => t != part).ToArray()).Select(rest => new StudyDefense(Name(rest), rest));
            (parts, round) = Compute(new("parts", best.Defense.Stack.Count, 1, [.. plain.Select(a => a.Name)], []), plain, [best.Defense, .. rests], _request.ConfirmationSeeds, cancellationToken);
            _rounds.Add(round);
            _ended(round);
        }

        return new(_request, chosen.Count == 0 ? [] : best.Defense.Stack, _rounds, _notes, evidence, parts);
    }
}
