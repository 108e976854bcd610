using System.Diagnostics;
using Temper.Bench.Planning;
using Temper.Bench.Reports;
using Temper.Bench.Store;
using Temper.Bench.Studies;

namespace Temper.Bench.Execution;

/// <summary>Where a run stands.</summary>
/// <param name="Left">Null until a stage has shown how long stages take.</param>
public sealed record StudyProgress(int Done, int Failed, int Total, IReadOnlyList<string> Running, TimeSpan Elapsed, TimeSpan? Left);

/// <summary>What a session is for: to run the study, to look at it, or to work on one that somebody else runs.</summary>
public enum SessionUse { Run, Look, Work }

/// <summary>A study in a store: plan it, run it, report it. What an earlier run finished is not computed again.</summary>
public sealed class StudySession : IDisposable
{
    private readonly ObjectStore _store;
    private readonly StageLedger _ledger;
    private readonly TimeProvider _time;
    private readonly long _began;
    private readonly SessionUse _use;

    public StudySession(Study study, string storeFolder, SessionUse use = SessionUse.Run, TimeProvider? time = null)
    {
        _time = time ?? TimeProvider.System;
        _use = use;
        _began = _time.GetTimestamp();
        _store = new(storeFolder);
        _ledger = new(_store.Root, _time);
        Study = study;
        Plan = SearchReplay.Plan(study, _store, _ledger);
        if (use != SessionUse.Work)
        {
            Enter(retry: use == SessionUse.Run);
        }
    }

    public Study Study { get; }

    /// <summary>Grows while attackers search.</summary>
    public StagePlan Plan { get; private set; }

    public string StoreFolder => _store.Root;

    public IReadOnlyList<StageRow> Stages => _ledger.Rows(Plan.StudyId);

    /// <summary>Runs on threads of this process.</summary>
    public void RunHere(int workers, Action<StudyProgress> watch, CancellationToken cancellationToken)
    {
        do
        {
            RunRound(workers, watch, cancellationToken);
        }
        while (Grow());
    }

    /// <summary>Runs in processes, which a stage may take down without harm to the others.</summary>
    public void RunApart(int workers, Func<ProcessStartInfo> start, Action<StudyProgress> watch, CancellationToken cancellationToken)
    {
        do
        {
            using var processes = new WorkerProcesses(_ledger, start);
            processes.Run(Plan.StudyId, workers, () => watch(Progress(workers)), cancellationToken);
        }
        while (Grow());
    }

    /// <summary>Looks at what the searches have found, and plans what they try next; false when no search goes on.</summary>
    private bool Grow()
    {
        var grown = SearchReplay.Plan(Study, _store, _ledger);
        if (grown.StudyId == Plan.StudyId)
        {
            return false;
        }

        Plan = grown;
        Enter(retry: false);
        return true;
    }

    private void RunRound(int workers, Action<StudyProgress> watch, CancellationToken cancellationToken)
    {
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Exception? first = null;
        var threads = Enumerable.Range(0, workers).Select(i => new Thread(() =>
        {
            try
            {
                new Worker(_store, _ledger, $"{Worker.ProcessId(Environment.ProcessId)}{i}", _time).Run(Plan.StudyId, linked.Token);
            }
            catch (Exception e)
            {
                Interlocked.CompareExchange(ref first, e, null);
                linked.Cancel();
            }
        }) { IsBackground = true, Name = $"worker {i}" }).ToArray();
        Array.ForEach(threads, t => t.Start());
        while (!Array.TrueForAll(threads, t => t.Join(100)))
        {
            watch(Progress(workers));
        }

        watch(Progress(workers));
        if (first is not null)
        {
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(first);
        }
    }

    public StudyProgress Progress(int workers)
    {
        var rows = Stages;
        var (done, failed) = (rows.Count(r => r.State == StageState.Done), rows.Count(r => r.State == StageState.Failed));
        var elapsed = _time.GetElapsedTime(_began);
        return new(done, failed, rows.Count, [.. rows.Where(r => r.State == StageState.Running).Select(r => r.Title)], elapsed, Estimate.Left(rows, workers));
    }

    public StudyReport Report() => ReportBuilder.Build(Study, Plan, _store, Stages, _use == SessionUse.Look ? TimeSpan.Zero : _time.GetElapsedTime(_began));

    /// <summary>Works in this thread until nothing is left; what a worker process does.</summary>
    public void Work(CancellationToken cancellationToken) =>
        new Worker(_store, _ledger, $"{Worker.ProcessId(Environment.ProcessId)}0", _time).Run(Plan.StudyId, cancellationToken);

    public void Dispose() => _ledger.Dispose();

    private void Enter(bool retry)
    {
        _store.Sweep(Worker.IsRunning);
        _ledger.Release(Worker.IsAlive);
        _ledger.Enter(Plan, Study.Name, retry);
        // a store may know more than its ledger: an object that is there is done
        foreach (var row in _ledger.Rows(Plan.StudyId).Where(r => r.State != StageState.Done && _store.Has(r.Key)))
        {
            _ledger.Finish(row.Key, 0, computed: row.Computed == 0);
        }
    }
}
