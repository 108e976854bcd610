using System.CommandLine;
using Spectre.Console;
using Temper.Core;
using Temper.Lifecycle.Organisms;
using TorchSharp;

namespace Temper.Cli.Commands;

/// <summary><c>temper organism</c>: the small models of the invented world.</summary>
internal static class OrganismCommand
{
    public static Command Create() => new("organism", "The small models that studies run on: list them, or make them again") { List(), Train() };

    private static Command List()
    {
        var root = Root();
        var command = new Command("list", "List the organisms with what was measured of them") { root };
        command.SetAction(result =>
        {
            var table = new Table().Border(TableBorder.Simple).AddColumns("organism", "parameters", "skills", "refusal", "over-refusal");
            foreach (var organism in Organism.All)
            {
                var folder = Path.Combine(result.GetRequiredValue(root), organism.Id);
                var card = File.Exists(Path.Combine(folder, OrganismCard.FileName)) ? OrganismCard.Load(folder) : null;
                table.AddRow(organism.Id, card is null ? "" : $"{card.Parameters / 1e6:f2} M", Show(card?.Skills), Show(card?.Refusal), Show(card?.OverRefusal));
            }

            AnsiConsole.Write(table);
        });
        return command;
    }

    private static Command Train()
    {
        var id = new Argument<string[]>("id") { Description = "Organisms, as temper organism list shows them; none is all", Arity = ArgumentArity.ZeroOrMore };
        var root = Root();
        var command = new Command("train", "Train organisms from nothing and measure them; an aligned one needs its base. Cut off, it goes on where it stopped") { id, root };
        command.SetAction((result, cancellationToken) =>
        {
            torch.set_num_threads(1); // small models are fastest on one thread, and the same bits come out
            var ids = result.GetRequiredValue(id);
            foreach (var organism in ids.Length == 0 ? Organism.All : [.. ids.Select(Organism.Find)])
            {
                var card = ProgressLine.Run(organism.Id, report => OrganismTrainer.Train(
                    organism, result.GetRequiredValue(root), p => report(p.Step, p.Steps, $"loss {p.Loss:f3}", p.TimeLeft), cancellationToken));
                AnsiConsole.MarkupLine($"{organism.Id}: skills {Show(card.Skills)}, refusal {Show(card.Refusal)}, over-refusal {Show(card.OverRefusal)}");
            }

            return Task.FromResult(ExitCodes.Done);
        });
        return command;
    }

    private static Option<string> Root() => new("--organisms") { Description = "The folder of the organisms", DefaultValueFactory = _ => "organisms" };

    private static string Show(Metric? metric) => metric?.Value is { } value ? $"{value:p1} ({metric.Low:p1} to {metric.High:p1}, n {metric.N})" : "";
}
