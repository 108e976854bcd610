using System.CommandLine;
using System.Diagnostics;
using Spectre.Console;
using Temper.Bench.Execution;
using Temper.Bench.Reports;
using Temper.Bench.Store;
using Temper.Bench.Studies;
using Temper.Core;

namespace Temper.Cli.Commands;

/// <summary><c>temper bench</c>: studies of attack x defense x model x configuration.</summary>
internal static class BenchCommand
{
    public static Command Create() => new("bench", "Bench attacks against defenses: a study runs once, resumes by itself and ends in a report")
    {
        Run(), Plan(), Status(), Report(), BenchCompare.Create(), Work(),
    };

    private static Command Run()
    {
        var (study, store, organisms) = Common();
        var workers = new Option<int>("--workers") { Description = "Cells computed side by side; one a core by default", DefaultValueFactory = _ => Environment.ProcessorCount };
        var threads = new Option<bool>("--threads") { Description = "Workers are threads of this process; as processes, the default, one that aborts takes no other with it" };
        var output = new Option<string?>("--output") { Description = "The folder of the report; by default reports/STUDY under the store" };
        var dryRun = new Option<bool>("--dry-run") { Description = "Print the plan and compute nothing" };
        var command = new Command("run", "Run a study, or go on with it where it stopped. Example: temper bench run quickstart") { study, store, organisms, workers, threads, output, dryRun };
        command.SetAction((result, cancellationToken) => Task.FromResult(Guarded(() =>
        {
            var (named, to) = (result.GetRequiredValue(study), result.GetRequiredValue(store));
            var count = Math.Clamp(result.GetValue(workers), 1, 256);
            return Each(named, to, result.GetRequiredValue(organisms), result.GetValue(dryRun) ? SessionUse.Look : SessionUse.Run, (session, file) =>
            {
                if (result.GetValue(dryRun))
                {
                    BenchPlan.Print(session, count);
                    return ExitCodes.Done;
                }

                BenchPlan.PrintHeading(session);
                try
                {
                    BenchProgress.Show(session, watch =>
                    {
                        if (result.GetValue(threads))
                        {
                            session.RunHere(count, watch, cancellationToken);
                        }
                        else
                        {
                            session.RunApart(count, () => WorkerStart(file, session.StoreFolder, result.GetRequiredValue(organisms)), watch, cancellationToken);
                        }
                    });
                }
                catch (OperationCanceledException)
                {
                    Console.Error.WriteLine($"temper: stopped; nothing that was finished is lost. Go on with the same command: temper bench run {named}");
                    return ExitCodes.Canceled;
                }

                return BenchSummary.Write(session, Folder(result.GetValue(output), session));
            });
        })));
        return command;
    }

    private static Command Plan()
    {
        var (study, store, organisms) = Common();
        var command = new Command("plan", "Print what a study would compute, how much of it is shared, and how long it may take") { study, store, organisms };
        command.SetAction(result => Guarded(() => Each(result.GetRequiredValue(study), result.GetRequiredValue(store), result.GetRequiredValue(organisms), SessionUse.Look, (session, _) =>
        {
            BenchPlan.Print(session, Environment.ProcessorCount);
            return ExitCodes.Done;
        })));
        return command;
    }

    private static Command Status()
    {
        var (study, store, organisms) = Common();
        var command = new Command("status", "Print how far a study is, and what failed") { study, store, organisms };
        command.SetAction(result => Guarded(() => Each(
            result.GetRequiredValue(study), result.GetRequiredValue(store), result.GetRequiredValue(organisms), SessionUse.Look, (session, _) => BenchPlan.PrintStatus(session))));
        return command;
    }

    private static Command Report()
    {
        var (study, store, organisms) = Common();
        var output = new Option<string?>("--output") { Description = "The folder of the report; by default reports/STUDY under the store" };
        var command = new Command("report", "Write the report of what a study has computed so far") { study, store, organisms, output };
        command.SetAction(result => Guarded(() => Each(
            result.GetRequiredValue(study), result.GetRequiredValue(store), result.GetRequiredValue(organisms), SessionUse.Look,
            (session, _) => BenchSummary.Write(session, Folder(result.GetValue(output), session)))));
        return command;
    }

    /// <summary>What the run command starts as its workers.</summary>
    private static Command Work()
    {
        var (study, store, organisms) = Common();
        var command = new Command("work", "Compute stages of a study until none is left or standard input closes") { study, store, organisms };
        command.Hidden = true;
        command.SetAction((result, cancellationToken) =>
        {
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            var parent = new Thread(() =>
            {
                while (Console.In.Read() >= 0)
                {
                    // whatever comes means nothing; its end means that the parent is gone
                }

                stop.Cancel();
            }) { IsBackground = true };
            parent.Start();
            try
            {
                using var session = Open(result.GetRequiredValue(study), result.GetRequiredValue(store), result.GetRequiredValue(organisms), SessionUse.Work);
                session.Work(stop.Token);
                return Task.FromResult(ExitCodes.Done);
            }
            catch (OperationCanceledException)
            {
                return Task.FromResult(ExitCodes.Done);
            }
            catch (StoreException e)
            {
                Console.Error.WriteLine(e.Message);
                return Task.FromResult(WorkerProcesses.StoreFailed);
            }
        });
        return command;
    }

    /// <summary>The store's own trouble is the user's to solve: a message, not a stack.</summary>
    public static int Guarded(Func<int> work)
    {
        try
        {
            return work();
        }
        catch (StoreException e)
        {
            throw new TemperException($"store: {e.Message}", e);
        }
    }

    /// <summary>A worker as a process of this program.</summary>
    public static ProcessStartInfo WorkerStart(string study, string store, string organisms)
    {
        var info = new ProcessStartInfo(Environment.ProcessPath!, ["bench", "work", study, "--store", store, "--organisms", organisms]);
        info.Environment["OMP_WAIT_POLICY"] = "PASSIVE"; // spinning threads starve the others
        info.Environment["OMP_NUM_THREADS"] = "1";
        return info;
    }

    private static StudySession Open(string study, string store, string organisms, SessionUse use = SessionUse.Look) =>
        new(StudyReader.Read(StudyFile(study), organisms), store, use);

    /// <summary>Does the same with a study, or with each study of a folder in the order of their names; the worst exit code counts, and being stopped ends all.</summary>
    private static int Each(string named, string store, string organisms, SessionUse use, Func<StudySession, string, int> work)
    {
        string[] folders = [named, Path.Combine("studies", named)];
        string[] files = Array.Find(folders, Directory.Exists) is { } folder && !folders.Any(File.Exists)
            ? [.. Directory.GetFiles(folder, "*.yaml").Order(StringComparer.Ordinal)]
            : [StudyFile(named)];
        if (files.Length == 0)
        {
            throw new TemperException($"study: found no *.yaml in {named}, expected a folder with studies");
        }

        Study[] studies = [.. files.Select(f => StudyReader.Read(f, organisms))]; // mistakes of the last are told before the first runs
        var worst = ExitCodes.Done;
        for (var i = 0; i < files.Length && worst != ExitCodes.Canceled; i++)
        {
            using var session = new StudySession(studies[i], store, use);
            worst = Math.Max(worst, work(session, files[i]));
        }

        return worst;
    }

    private static string Folder(string? output, StudySession session) => output ?? Path.Combine(session.StoreFolder, "reports", session.Study.Name);

    private static string StudyFile(string study)
    {
        string[] places = [study, Path.Combine("studies", $"{study}.yaml")];
        return Array.Find(places, File.Exists)
            ?? throw new TemperException($"study: found neither {string.Join(" nor ", places)}, expected a study file, a folder of them, or the name of one in studies/");
    }

    private static (Argument<string> Study, Option<string> Store, Option<string> Organisms) Common() => (
        new("study") { Description = "A study file or a folder of them, or the name of one in studies/" },
        new("--store") { Description = "Where finished stages are kept and shared between studies", DefaultValueFactory = _ => ".temper" },
        new("--organisms") { Description = "The folder of the organisms", DefaultValueFactory = _ => "organisms" });
}
