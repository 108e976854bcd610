using System.CommandLine;
using Temper.Bench.Studies;

namespace Temper.Cli.Commands;

/// <summary><c>temper schema study</c>: the JSON schema of a file that temper reads, for editors.</summary>
internal static class SchemaCommand
{
    public static Command Create()
    {
        var study = new Command("study", "The schema of a study. Example: temper schema study > study.schema.json");
        study.SetAction(_ => Console.Out.Write(StudySchema.Write()));
        return new("schema", "Print the JSON schema of a file that temper reads") { study };
    }
}
