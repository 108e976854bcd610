using System.Diagnostics;
using Temper.Bench.Store;
using Temper.Core;

namespace Temper.Bench.Execution;

/// <summary>Workers as processes of their own: what aborts one, natively too, is one stage's failure and not the study's.</summary>
/// <param name="start">How to start one; it works until its standard input closes or nothing is left.</param>
public sealed class WorkerProcesses(StageLedger ledger, Func<ProcessStartInfo> start) : IDisposable
{
    /// <summary>The exit code of a worker that could not use the store.</summary>
    public const int StoreFailed = 4;

    /// <summary>How often a stage may take its worker down before it has failed.</summary>
    private const int Deaths = 2;

    private static readonly TimeSpan s_poll = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan s_grace = TimeSpan.FromSeconds(1.5);
    private readonly List<Process> _processes = [];
    private readonly Dictionary<int, string> _lastWords = [];
    private int _idleDeaths;

    /// <summary>Keeps <paramref name="count"/> workers going until the study has nothing left.</summary>
    /// <param name="watch">Called between looks at the workers.</param>
    /// <exception cref="StoreException">A worker could not use the store.</exception>
    public void Run(string study, int count, Action watch, CancellationToken cancellationToken)
    {
        while (ledger.Open(study) > 0)
        {
            while (_processes.Count < Math.Min(count, Math.Max(1, ledger.Open(study))))
            {
                _processes.Add(Start());
            }

            if (cancellationToken.WaitHandle.WaitOne(s_poll))
            {
                Stop();
                cancellationToken.ThrowIfCancellationRequested();
            }

            foreach (var gone in _processes.Where(p => p.HasExited).ToArray())
            {
                _processes.Remove(gone);
                Mourn(gone);
            }

            watch();
        }

        Stop();
        watch();
    }

    public void Dispose()
    {
        foreach (var process in _processes)
        {
            process.Kill(entireProcessTree: true);
            process.Dispose();
        }
    }

    private Process Start()
    {
        var info = start();
        (info.RedirectStandardInput, info.RedirectStandardError, info.UseShellExecute) = (true, true, false);
        var process = Process.Start(info)!;
        var id = process.Id; // a line may come when the process is disposed already
        process.ErrorDataReceived += (_, line) => LastWords(id, line.Data);
        process.BeginErrorReadLine();
        return process;
    }

    private void LastWords(int process, string? line)
    {
        if (!string.IsNullOrWhiteSpace(line))
        {
            lock (_lastWords)
            {
                _lastWords.TryAdd(process, line);
            }
        }
    }

    private void Mourn(Process process)
    {
        process.WaitForExit(); // until its last words are read
        string? said;
        lock (_lastWords)
        {
            _lastWords.Remove(process.Id, out said);
        }

        var (code, id) = (process.ExitCode, process.Id);
        process.Dispose();
        if (code == StoreFailed)
        {
            throw new StoreException(said ?? "the store cannot be used");
        }

        if (code != 0)
        {
            var reason = $"exit code {code} ({Signal(code)}){(said is null ? "" : $": {said}")}";
            var held = ledger.Bury(Worker.ProcessId(id), $"its worker process died {Deaths} times with {reason}", Deaths);
            _idleDeaths = held ? 0 : _idleDeaths + 1;
            if (_idleDeaths > Deaths)
            {
                throw new TemperException($"workers: found that they end at once with {reason}, expected them to compute stages");
            }
        }
    }

    private static string Signal(int code) => code switch
    {
        134 => "abort", 137 => "killed, perhaps for want of memory", 139 => "segmentation fault", _ => "no signal",
    };

    private void Stop()
    {
        foreach (var process in _processes)
        {
            process.StandardInput.Close();
        }

        foreach (var process in _processes)
        {
            if (!process.WaitForExit(s_grace))
            {
                process.Kill(entireProcessTree: true);
                process.WaitForExit();
            }

            process.Dispose();
        }

        _processes.Clear();
        ledger.Release(Worker.IsAlive);
    }
}
