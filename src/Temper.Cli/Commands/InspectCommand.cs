using System.CommandLine;
using Temper.Core;

namespace Temper.Cli.Commands;

/// <summary><c>temper inspect DIR</c>: the card of a checkpoint or an adapter, from its headers alone.</summary>
internal static class InspectCommand
{
    public static Command Create()
    {
        var folder = new Argument<string>("dir") { Description = "The folder of a checkpoint or an adapter" };
        var command = new Command("inspect", "Show a checkpoint's or adapter's card: architecture, parameters, element types, shapes, tokenizer, template; reads headers only. Example: temper inspect ./model") { folder };
        command.SetAction(result =>
        {
            var path = result.GetRequiredValue(folder);
            if (!Directory.Exists(path))
            {
                throw new TemperException($"{path}: found no folder, expected a checkpoint's or an adapter's");
            }

            var isAdapter = File.Exists(Path.Combine(path, "adapter_config.json"));
            if (!isAdapter && !File.Exists(Path.Combine(path, "config.json")))
            {
                throw new TemperException($"{path}: found neither config.json nor adapter_config.json, expected a checkpoint or an adapter");
            }

            var card = new FolderCard(path);
            if (isAdapter)
            {
                card.Adapter();
            }

            if (!isAdapter || File.Exists(Path.Combine(path, "config.json")))
            {
                card.Checkpoint();
            }

            foreach (var (name, value) in card.Rows)
            {
                Console.Out.WriteLine($"{name,-14}{TerminalText.Line(value)}".TrimEnd());
            }

            return card.IsWhole ? ExitCodes.Done : ExitCodes.Findings;
        });
        return command;
    }
}
