using System.Diagnostics;
using System.Globalization;
using Temper.Bench.Execution;
using Temper.Bench.Planning;
using Temper.Bench.Store;
using Temper.Core;

namespace Temper.Bench.Tests.Execution;

public sealed class WorkerProcessesTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("temper-workers").FullName;
    private readonly StageLedger _ledger;

    public WorkerProcessesTests()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "needs a shell");
        _ledger = new(_folder);
        _ledger.Enter(new("s", [], [Stage.Of("k", "the stage", [], new Dictionary<string, string>())], 1), "study");
    }

    [Fact]
    public void A_stage_that_takes_its_worker_down_twice_fails_with_the_reason_and_the_study_ends()
    {
        // the worker says who it is, waits until it holds the stage, and aborts as libtorch does
        using var workers = new WorkerProcesses(_ledger, () => Shell($"echo $$ > {_folder}/pid; while [ ! -e {_folder}/go ]; do sleep 0.02; done; rm {_folder}/go; echo 'c10::Error: shapes' >&2; kill -ABRT $$"));
        workers.Run("s", 1, () =>
        {
            var pid = Path.Combine(_folder, "pid");
            if (File.Exists(pid) && int.TryParse(File.ReadAllText(pid), CultureInfo.InvariantCulture, out var process) && _ledger.Claim("s", $"{Worker.ProcessId(process)}0") is not null)
            {
                File.Delete(pid);
                File.WriteAllText(Path.Combine(_folder, "go"), "");
            }
        }, TestContext.Current.CancellationToken);

        var row = Assert.Single(_ledger.Rows("s"));
        Assert.Equal((StageState.Failed, 2), (row.State, row.Deaths));
        Assert.Equal("its worker process died 2 times with exit code 134 (abort): c10::Error: shapes", row.Reason);
    }

    [Fact]
    public void Workers_that_cannot_start_are_an_error_and_no_endless_loop()
    {
        using var workers = new WorkerProcesses(_ledger, () => Shell("echo 'no such library' >&2; exit 1"));
        var error = Assert.Throws<TemperException>(() => workers.Run("s", 2, () => { }, TestContext.Current.CancellationToken));
        Assert.Contains("no such library", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_worker_that_cannot_use_the_store_stops_the_study()
    {
        using var workers = new WorkerProcesses(_ledger, () => Shell($"echo 'disk full' >&2; exit {WorkerProcesses.StoreFailed}"));
        Assert.Equal("disk full", Assert.Throws<StoreException>(() => workers.Run("s", 1, () => { }, TestContext.Current.CancellationToken)).Message);
    }

    [Fact]
    public void Cancellation_closes_the_workers_input_and_waits_for_them()
    {
        using var stop = new CancellationTokenSource();
        using var workers = new WorkerProcesses(_ledger, () => Shell($"cat > /dev/null; echo done > {_folder}/ended"));
        Assert.ThrowsAny<OperationCanceledException>(() => workers.Run("s", 1, stop.Cancel, stop.Token));
        Assert.True(File.Exists(Path.Combine(_folder, "ended")), "the worker ended by itself");
    }

    public void Dispose()
    {
        _ledger?.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private static ProcessStartInfo Shell(string script) => new("/bin/sh", ["-c", script]);
}
