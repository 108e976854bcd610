using System.CommandLine;
using Temper.Engine.Checkpoints;
using Temper.Engine.Lora;

namespace Temper.Cli.Commands;

/// <summary><c>temper merge BASE --adapter DIR</c>: one checkpoint of a model and its adapter.</summary>
internal static class MergeCommand
{
    public static Command Create()
    {
        var @base = new Argument<string>("base") { Description = "The checkpoint folder that the adapter was trained on" };
        var adapter = new Option<string>("--adapter") { Description = "The adapter's folder", Required = true };
        var accept = LoadGate.Accept();
        var command = new Command("merge", "Add an adapter to its base's weights and write the checkpoint, in the base's element types unless --dtype says otherwise. Example: temper merge ./model --adapter ./adapter --output ./merged")
        {
            @base, adapter, accept,
        };
        var options = new WriteOptions(command);
        command.SetAction((result, cancellationToken) => Task.FromResult(Interruptible.Run(() =>
        {
            options.Check(result);
            var (origin, lora) = (result.GetRequiredValue(@base), result.GetRequiredValue(adapter));
            if (!LoadGate.Admits(origin, lora, result.GetValue(accept) ?? [], cancellationToken))
            {
                return ExitCodes.Findings;
            }

            using var model = Checkpoint.Load(origin);
            using var adapters = PeftFolder.Load(model, lora);
            adapters.Merge();
            options.Write(result, origin, model, cancellationToken);
            return ExitCodes.Done;
        })));
        return command;
    }
}
