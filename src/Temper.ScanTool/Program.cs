using System.CommandLine;
using Temper.Cli;
using Temper.Cli.Commands;
using Temper.Core;

var root = new RootCommand("Says whether weights, adapters, tokenizers, templates and configs are safe to load; exit 1 at or above --fail-on.")
{
    RulesCommand.Create(),
    ManifestCommand.Create(),
};
ScanCommand.Fill(root);

try
{
    var parsed = root.Parse(args);
    var code = await parsed.InvokeAsync(new() { EnableDefaultExceptionHandler = false });
    return parsed.Errors.Count > 0 ? ExitCodes.Usage : code;
}
catch (TemperException e)
{
    await Console.Error.WriteLineAsync($"temper-scan: {e.Message}");
    return ExitCodes.Usage;
}
catch (OperationCanceledException)
{
    await Console.Error.WriteLineAsync("temper-scan: canceled");
    return ExitCodes.Canceled;
}
