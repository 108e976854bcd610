using System.CommandLine;
using Temper.Core;
using Temper.Scan.Reports;
using Temper.Scan.Rules;

namespace Temper.Cli.Commands;

/// <summary><c>temper rules [ID]</c>: what the scan looks for.</summary>
internal static class RulesCommand
{
    public static Command Create()
    {
        var id = new Argument<string?>("id") { Description = "A rule id; without it, all rules are listed", Arity = ArgumentArity.ZeroOrOne };
        var command = new Command("rules", "List the rules of temper scan, or explain one") { id };
        command.SetAction(result =>
        {
            if (result.GetValue(id) is not { } wanted)
            {
                foreach (var rule in RuleCatalog.All)
                {
                    Console.Out.WriteLine($"{rule.Id,-28} {rule.Severity.ToString().ToLowerInvariant(),-7} {rule.Title}");
                }

                return ExitCodes.Done;
            }

            Console.Out.Write(RulePages.Page(RuleCatalog.Find(wanted) ?? throw new TemperException($"rules {wanted}: found no such rule, expected one of 'temper rules'")));
            return ExitCodes.Done;
        });
        return command;
    }
}
