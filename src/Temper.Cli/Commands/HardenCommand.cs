using System.CommandLine;
using System.Globalization;
using Temper.Bench.Hardening;
using Temper.Bench.Reports;
using Temper.Bench.Studies;
using Temper.Core;
using Temper.Lifecycle.Organisms;

namespace Temper.Cli.Commands;

/// <summary><c>temper harden</c>: searches the stack of defenses that holds best against a profile of threats within budgets, and writes it as a recipe.</summary>
internal static class HardenCommand
{
    private static readonly Option<string> s_model = new("--model") { Description = "A checkpoint folder, or an organism's id", Required = true };
    private static readonly Option<string?> s_base = new("--base") { Description = "The same model before it was aligned; some defenses need it" };
    private static readonly Option<string?> s_data = new("--data") { Description = "The rows to tune on (Alpaca JSON); by default rows of the organisms' world" };
    private static readonly Option<int> s_rows = new("--rows") { Description = "Rows of the organisms' world, without --data", DefaultValueFactory = _ => 400 };
    private static readonly Option<string> s_threats = new("--threats") { Description = $"A file, or one of: {string.Join(", ", ThreatProfile.Names)}", DefaultValueFactory = _ => "lifecycle" };
    private static readonly Option<double> s_utilityLoss = new("--utility-loss") { Description = "The share of the undefended utility that the stack may cost", DefaultValueFactory = _ => 0.1 };
    private static readonly Option<double> s_overRefusal = new("--over-refusal") { Description = "How much more often it may refuse benign requests", DefaultValueFactory = _ => 0.1 };
    private static readonly Option<TimeSpan?> s_time = new("--time") { Description = "What the search may take, such as 20m or 2h; by default as long as it takes", CustomParser = Amounts.Duration };
    private static readonly Option<long?> s_memory = new("--memory") { Description = "What all workers may take, such as 8g; by default one worker a core", CustomParser = Amounts.Bytes };
    private static readonly Option<int> s_depth = new("--depth") { Description = "Defenses in a stack, at most", DefaultValueFactory = _ => 3 };
    private static readonly Option<TuningMethod> s_method = new("--method") { Description = "How the model is tuned: full or lora", DefaultValueFactory = _ => TuningMethod.Full };
    private static readonly Option<int> s_steps = new("--steps") { Description = "Training steps", DefaultValueFactory = _ => 80 };
    private static readonly Option<int> s_batch = new("--batch-size") { Description = "Rows a step", DefaultValueFactory = _ => 16 };
    private static readonly Option<double> s_rate = new("--learning-rate") { Description = "Learning rate", DefaultValueFactory = _ => 7e-4 };
    private static readonly Option<string> s_output = new("--output") { Description = "The folder of the recipe and its evidence", DefaultValueFactory = _ => "hardened" };
    private static readonly Option<string> s_store = new("--store") { Description = "Where finished stages are kept and shared with studies", DefaultValueFactory = _ => ".temper" };
    private static readonly Option<string> s_organisms = new("--organisms") { Description = "The folder of the organisms", DefaultValueFactory = _ => "organisms" };
    private static readonly Option<int> s_workers = new("--workers") { Description = "Cells computed side by side; one a core by default", DefaultValueFactory = _ => Environment.ProcessorCount };

    public static Command Create()
    {
        var command = new Command("harden", "Search the stack of defenses that holds best against a profile of threats, and write it as a recipe with its evidence. Example: temper harden --model llama-small-aligned --threats lifecycle --time 20m")
        {
            s_model, s_base, s_data, s_rows, s_threats, s_utilityLoss, s_overRefusal, s_time, s_memory, s_depth, s_method, s_steps, s_batch, s_rate, s_output, s_store, s_organisms, s_workers,
        };
        command.SetAction((result, cancellationToken) => Task.FromResult(BenchCommand.Guarded(() => Run(result, cancellationToken))));
        return command;
    }

    private static int Run(ParseResult given, CancellationToken cancellationToken)
    {
        var request = Request(given);
        var (store, output, organisms) = (given.GetRequiredValue(s_store), given.GetRequiredValue(s_output), given.GetRequiredValue(s_organisms));
        var workers = request.Workers(given.GetValue(s_memory), Math.Clamp(given.GetValue(s_workers), 1, 256));
        HardenConsole.Heading(request, workers);
        HardenResult found;
        try
        {
            found = new Hardener(
                request, store, output,
                (session, file, stop) => BenchProgress.Show(session, progress => session.RunApart(workers, () => BenchCommand.WorkerStart(file, session.StoreFolder, organisms), progress, stop)),
                HardenConsole.End).Run(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            Console.Error.WriteLine("temper: stopped; nothing that was finished is lost. Go on with the same command");
            return ExitCodes.Canceled;
        }

        HardenConsole.Summary(found, HardenFiles.Write(found, output));
        return ExitCodes.Done;
    }

    private static HardenRequest Request(ParseResult given)
    {
        var (named, organisms) = (given.GetRequiredValue(s_model), given.GetRequiredValue(s_organisms));
        var organism = Organism.All.FirstOrDefault(o => o.Id == named);
        var path = organism is null ? named : Path.Combine(organisms, named);
        var unaligned = given.GetValue(s_base) ?? (organism is null || organism.Alignment == Alignment.Base ? null : Path.Combine(organisms, organism.Base.Id));
        foreach (var (folder, option) in (IEnumerable<(string?, string)>)[(path, "--model"), (unaligned, "--base")])
        {
            if (folder is not null && !File.Exists(Path.Combine(folder, "config.json")))
            {
                throw new TemperException($"{option}: found no config.json in {folder}, expected a checkpoint folder{(option == "--model" ? " or an organism's id" : "")}");
            }
        }

        if (given.GetValue(s_data) is { } data && !File.Exists(data))
        {
            throw new TemperException($"--data: found nothing at {data}, expected a file of rows");
        }

        return new()
        {
            Model = new(organism?.Id ?? Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path))), Path.GetFullPath(path), unaligned is null ? null : Path.GetFullPath(unaligned)),
            Threats = ThreatProfile.Read(given.GetRequiredValue(s_threats)),
            Task = new() { Rows = Positive(given, s_rows), File = given.GetValue(s_data) is { } file ? Path.GetFullPath(file) : null },
            Plan = new() { Method = given.GetValue(s_method), Steps = Positive(given, s_steps), BatchSize = Positive(given, s_batch), LearningRate = Within(given, s_rate, 1e-9, 1) },
            UtilityLoss = Within(given, s_utilityLoss, 0, 1), OverRefusal = Within(given, s_overRefusal, 0, 1), Depth = Positive(given, s_depth), Time = given.GetValue(s_time),
        };
    }

    private static int Positive(ParseResult given, Option<int> option) => (int)Within(given.GetValue(option), option.Name, 1, 1_000_000);

    private static double Within(ParseResult given, Option<double> option, double low, double high) => Within(given.GetValue(option), option.Name, low, high);

    private static double Within(double value, string name, double low, double high) => value >= low && value <= high ? value
        : throw new TemperException(string.Create(CultureInfo.InvariantCulture, $"{name}: found {value}, expected a number from {low} to {high}"));
}
