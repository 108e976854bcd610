using System.CommandLine;
using Temper.Cli;
using Temper.Cli.Commands;
using Temper.Core;

var root = new RootCommand("Temper secures the fine-tuning of language models through its whole lifecycle.")
{
    BenchCommand.Create(),
    CatalogCommands.List(),
    CatalogCommands.Show(),
    ChatCommand.Create(),
    ConvertCommand.Create(),
    GenerateCommand.Create(),
    GoldenCommand.Create(),
    HardenCommand.Create(),
    InspectCommand.Create(),
    MergeCommand.Create(),
    OrganismCommand.Create(),
    ScanCommand.Create(),
    RulesCommand.Create(),
    ManifestCommand.Create(),
    SchemaCommand.Create(),
};

try
{
    var parsed = root.Parse(args);
    var code = await parsed.InvokeAsync(new() { EnableDefaultExceptionHandler = false });
    return parsed.Errors.Count > 0 ? ExitCodes.Usage : code;
}
catch (TemperException e)
{
    await Console.Error.WriteLineAsync($"temper: {TerminalText.Plain(e.Message)}");
    return ExitCodes.Usage;
}
catch (OperationCanceledException)
{
    await Console.Error.WriteLineAsync("temper: canceled; the same command goes on where it stopped");
    return ExitCodes.Canceled;
}
