using System.CommandLine;
using Spectre.Console;
using Temper.Lifecycle;

namespace Temper.Cli.Commands;

/// <summary><c>temper list</c> and <c>temper show ID</c>: the catalog, from its cards.</summary>
internal static class CatalogCommands
{
    public static Command List()
    {
        var command = new Command("list", "List the techniques");
        command.SetAction(_ =>
        {
            var table = new Table().Border(TableBorder.Simple).AddColumn("id", c => c.NoWrap()).AddColumns("phase", "role", "what it does");
            foreach (var card in Catalog.All.Select(e => e.Card).OrderBy(c => c.Phase).ThenBy(c => c.Role))
            {
                table.AddRow(card.Id, $"{card.Phase}", $"{card.Role}", Markup.Escape(card.Summary));
            }

            AnsiConsole.Write(table);
        });
        return command;
    }

    public static Command Show()
    {
        var id = new Argument<string>("id") { Description = "The technique's id, as temper list shows it" };
        var markdown = new Option<bool>("--markdown") { Description = "The beginning of its page in docs/techniques" };
        var command = new Command("show", "Show a technique's card and its default settings. Example: temper show bad-nets") { id, markdown };
        command.SetAction(result =>
        {
            var entry = Catalog.Find(result.GetRequiredValue(id));
            if (result.GetValue(markdown))
            {
                Console.Out.Write(TechniquePage.Write(entry));
                return;
            }

            var card = entry.Card;
            Console.Out.WriteLine($"{card.Name} ({card.Id}, version {card.Version})\n{card.Phase} {card.Role}, touches {card.Touches}\n{card.Summary}\n{card.Paper}\n\nsettings, as they are by default:\n{Catalog.ToJson(entry.DefaultSettings)}");
        });
        return command;
    }
}
