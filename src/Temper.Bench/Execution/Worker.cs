using System.Diagnostics;
using System.Globalization;
using Temper.Bench.Planning;
using Temper.Bench.Store;
using TorchSharp;

namespace Temper.Bench.Execution;

/// <summary>Takes ready stages of a study one after the other until none is left.</summary>
public sealed class Worker(ObjectStore store, StageLedger ledger, string id, TimeProvider? time = null)
{
    private static readonly TimeSpan s_idle = TimeSpan.FromMilliseconds(20);
    private readonly TimeProvider _time = time ?? TimeProvider.System;

    /// <summary>The name under which a process claims stages; those of a process of this machine that is gone are nobody's.</summary>
    public static string ProcessId(int process) => $"{Environment.MachineName}/{process.ToString(CultureInfo.InvariantCulture)}/";

    /// <summary>False only if the worker was a process of this machine that is gone; another machine's is judged by its lease.</summary>
    public static bool IsAlive(string worker)
    {
        var parts = worker.Split('/');
        return parts.Length < 2 || parts[0] != Environment.MachineName || !int.TryParse(parts[1], CultureInfo.InvariantCulture, out var process) || IsRunning(process);
    }

    public static bool IsRunning(int process)
    {
        try
        {
            using var found = Process.GetProcessById(process);
            return !found.HasExited;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    /// <summary>Works until every stage of the study is done or failed. A stage that throws fails, with all that needs it; the rest goes on.</summary>
    /// <exception cref="StoreException">The store cannot be used; the stage at hand waits again.</exception>
    public void Run(string study, CancellationToken cancellationToken)
    {
        torch.set_num_threads(1); // one model a thread is fastest, and gives the same bits alone or side by side
        using var heartbeat = _time.CreateTimer(_ => Beat(), null, StageLedger.Lease / 4, StageLedger.Lease / 4);
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (ledger.Claim(study, id) is { } stage)
            {
                Compute(stage, cancellationToken);
            }
            else if (ledger.Open(study) == 0)
            {
                return;
            }
            else
            {
                cancellationToken.WaitHandle.WaitOne(s_idle);
            }
        }
    }

    private void Compute(Stage stage, CancellationToken cancellationToken)
    {
        try
        {
            var began = _time.GetTimestamp();
            var there = store.Has(stage.Key);
            store.Write(stage.Key, folder =>
            {
                using var work = new StageWorkspace(store, stage, folder);
                StageKinds.Run(work, cancellationToken);
            });
            ledger.Finish(stage.Key, _time.GetElapsedTime(began).TotalSeconds, computed: !there);
        }
        catch (Exception e) when (e is OperationCanceledException or StoreException)
        {
            ledger.Release(worker => worker != id);
            throw;
        }
        catch (Exception e)
        {
            ledger.Fail(stage.Key, $"{stage.Title}: {e.Message}");
        }
    }

    private void Beat()
    {
        try
        {
            ledger.Renew(id);
        }
        catch (StoreException)
        {
            // the worker itself will meet the same store
        }
    }
}
