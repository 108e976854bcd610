using System.CommandLine;

namespace Temper.Cli.Commands;

/// <summary><c>temper convert DIR</c>: the same checkpoint in another element type or in shards.</summary>
internal static class ConvertCommand
{
    public static Command Create()
    {
        var folder = new Argument<string>("dir") { Description = "A checkpoint folder" };
        var accept = LoadGate.Accept();
        var command = new Command("convert", "Write a checkpoint in another element type, or in shards, whole or not at all. Example: temper convert ./model --output ./model-bf16 --dtype bfloat16 --shard 2g") { folder, accept };
        var options = new WriteOptions(command);
        command.SetAction((result, cancellationToken) => Task.FromResult(Interruptible.Run(() =>
        {
            options.Check(result);
            var origin = result.GetRequiredValue(folder);
            if (!LoadGate.Admits(origin, adapter: null, result.GetValue(accept) ?? [], cancellationToken))
            {
                return ExitCodes.Findings;
            }

            options.Write(result, origin, model: null, cancellationToken);
            return ExitCodes.Done;
        })));
        return command;
    }
}
