using System.CommandLine;
using Temper.Core;

namespace Temper.Cli.Commands;

/// <summary><c>temper chat DIR</c>: a conversation with a checkpoint, typed or piped, a line a turn.</summary>
internal static class ChatCommand
{
    public static Command Create()
    {
        var folder = new Argument<string>("dir") { Description = "A checkpoint folder" };
        var adapter = new Option<string?>("--adapter") { Description = "A folder with a LoRA adapter of this model" };
        var system = new Option<string?>("--system") { Description = "The system message" };
        var accept = LoadGate.Accept();
        var command = new Command("chat", "Talk with a checkpoint, a line a turn: /reset begins anew, /quit or the end of input leaves; its folders are scanned before they are loaded. Example: temper chat ./model --adapter ./adapter")
        {
            folder, adapter, system, accept,
        };
        var sampling = new SamplingOptions(command);
        command.SetAction(async (result, cancellationToken) =>
        {
            try
            {
                var how = sampling.Read(result);
                var (model, lora) = (result.GetRequiredValue(folder), result.GetValue(adapter));
                if (!LoadGate.Admits(model, lora, result.GetValue(accept) ?? [], cancellationToken))
                {
                    return ExitCodes.Findings;
                }

                using var loaded = LoadedModel.Open(model, lora);
                await Talk(loaded, result.GetValue(system), how, cancellationToken);
                return ExitCodes.Done;
            }
            catch (OperationCanceledException)
            {
                await Console.Error.WriteLineAsync();
                return ExitCodes.Canceled;
            }
        });
        return command;
    }

    private static async Task Talk(LoadedModel model, string? system, Sampling sampling, CancellationToken cancellationToken)
    {
        List<Message> beginning = system is null ? [] : [new(Role.System, system)];
        List<Message> messages = [.. beginning];
        if (!model.HasTemplate)
        {
            await Console.Error.WriteLineAsync("temper: the model has no chat template; it continues the conversation as plain text");
        }

        while (true)
        {
            if (!Console.IsInputRedirected)
            {
                await Console.Error.WriteAsync("> ");
            }

            // reading a console cannot be canceled, waiting for it can
            var line = await Task.Run(Console.In.ReadLine, cancellationToken).WaitAsync(cancellationToken);
            switch (line?.Trim())
            {
                case null or "/quit":
                    return;
                case "":
                    continue;
                case "/reset":
                    messages = [.. beginning];
                    continue;
            }

            messages.Add(new(Role.User, line));
            var reply = model.Answer([Fit(model, messages, beginning.Count, sampling.MaxTokens)], sampling, cancellationToken)[0];
            messages.Add(new(Role.Assistant, reply.Text.Trim()));
            await Console.Out.WriteLineAsync(TerminalText.Plain(messages[^1].Content));
        }
    }

    // the oldest turns go where the conversation has outgrown the model
    private static int[] Fit(LoadedModel model, List<Message> messages, int kept, int maxTokens)
    {
        var room = Math.Max(1, model.MaxPositions - Math.Min(maxTokens, model.MaxPositions / 2));
        while (true)
        {
            var ids = model.Prompt(messages);
            if (ids.Length <= room || messages.Count <= kept + 2)
            {
                return ids;
            }

            messages.RemoveRange(kept, 2); // a question and its answer
        }
    }
}
