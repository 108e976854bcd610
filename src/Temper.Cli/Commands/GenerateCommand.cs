using System.CommandLine;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Temper.Core;

namespace Temper.Cli.Commands;

/// <summary><c>temper generate DIR</c>: what a checkpoint, with or without an adapter, answers.</summary>
internal static class GenerateCommand
{
    // a line stays a line, and letters stay letters
    private static readonly JsonSerializerOptions s_json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    public static Command Create()
    {
        var folder = new Argument<string>("dir") { Description = "A checkpoint folder" };
        var adapter = new Option<string?>("--adapter") { Description = "A folder with a LoRA adapter of this model" };
        var prompt = new Option<string?>("--prompt") { Description = "One prompt; the answer goes to standard output" };
        var input = new Option<string?>("--input") { Description = "Many: a text file with one a line, or .jsonl rows with prompt, instruction or messages; answers are JSON lines" };
        var raw = new Option<bool>("--raw") { Description = "Continue the text as it is, without the chat template" };
        var output = new Option<string?>("--output") { Description = "Write the answers to this file, as JSON lines" };
        var accept = LoadGate.Accept();
        var command = new Command("generate", "Answer prompts with a checkpoint, in batches; its folders are scanned before they are loaded. Example: temper generate ./model --adapter ./adapter --prompt \"Hello\" --max-tokens 64")
        {
            folder, adapter, prompt, input, raw, output, accept,
        };
        var sampling = new SamplingOptions(command);
        command.SetAction((result, cancellationToken) => Task.FromResult(Interruptible.Run(() =>
        {
            var how = sampling.Read(result);
            var conversations = (result.GetValue(prompt), result.GetValue(input)) switch
            {
                ({ } text, null) => [[new(Role.User, text)]],
                (null, { } path) => PromptFile.Read(path),
                _ => throw new TemperException("found neither or both of --prompt and --input, expected one of them"),
            };
            var (model, lora) = (result.GetRequiredValue(folder), result.GetValue(adapter));
            if (!LoadGate.Admits(model, lora, result.GetValue(accept) ?? [], cancellationToken))
            {
                return ExitCodes.Findings;
            }

            using var loaded = LoadedModel.Open(model, lora);
            var replies = loaded.Answer([.. conversations.Select(c => loaded.Prompt(c, result.GetValue(raw)))], how, cancellationToken);
            Write(conversations, replies, result.GetValue(output), single: result.GetValue(input) is null);
            return ExitCodes.Done;
        })));
        return command;
    }

    private static void Write(IReadOnlyList<IReadOnlyList<Message>> conversations, IReadOnlyList<ChatReply> replies, string? output, bool single)
    {
        if (single && output is null)
        {
            Console.Out.WriteLine(TerminalText.Plain(replies[0].Text));
            return;
        }

        var lines = new StringBuilder();
        for (var i = 0; i < replies.Count; i++)
        {
            lines.Append(JsonSerializer.Serialize(new Answer(i, conversations[i][^1].Content, replies[i].Text, replies[i].Tokens), s_json)).Append('\n');
        }

        OutputFile.Write(output is null ? TerminalText.Plain(lines.ToString()) : lines.ToString(), output);
    }

    /// <summary>One line of the answers.</summary>
    private sealed record Answer(int Index, string Prompt, string Text, int Tokens);
}
