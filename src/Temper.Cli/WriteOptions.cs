using System.CommandLine;
using Temper.Engine.Checkpoints;
using Temper.Engine.Models;
using Temper.Formats.SafeTensors;

namespace Temper.Cli;

/// <summary>How a checkpoint is written, as options of a command.</summary>
internal sealed class WriteOptions
{
    private readonly Option<string> _output = new("--output") { Description = "A folder that is new or empty", Required = true };
    private readonly Option<string?> _type = new("--dtype") { Description = "float32, float16 or bfloat16; by default as it is" };
    private readonly Option<long?> _shard = new("--shard") { Description = "Bytes of one file at most, such as 500m or 5g; by default one file", CustomParser = Amounts.Bytes };

    public WriteOptions(Command command)
    {
        _type.AcceptOnlyFromAmong("float32", "float16", "bfloat16");
        foreach (var option in (Option[])[_output, _type, _shard])
        {
            command.Add(option);
        }
    }

    /// <summary>Refuses, before anything is loaded, an output that is taken.</summary>
    public void Check(ParseResult given) => CheckpointWriter.RequireFree(given.GetRequiredValue(_output));

    public void Write(ParseResult given, string origin, CausalModel? model, CancellationToken cancellationToken)
    {
        TensorType? type = given.GetValue(_type) switch { "float32" => TensorType.F32, "float16" => TensorType.F16, "bfloat16" => TensorType.BF16, _ => null };
        var output = given.GetRequiredValue(_output);
        CheckpointWriter.Write(origin, output, type, given.GetValue(_shard), model, cancellationToken);
        using var written = ShardedSafeTensors.Open(output);
        Console.Out.WriteLine($"{TerminalText.Line(output)}: {written.Tensors.Count} tensors, {written.Tensors.Sum(t => t.Length):n0} bytes, {(written.Shards.Count == 1 ? "1 file" : $"{written.Shards.Count} files")}");
    }
}
