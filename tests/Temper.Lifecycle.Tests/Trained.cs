using Temper.Core;
using Temper.Engine.Checkpoints;
using Temper.Engine.Generation;
using Temper.Engine.Models;
using Temper.Engine.Tokenizers;
using Temper.Engine.Training;
using Temper.Lifecycle.Organisms;
using Temper.Tests;
using static TorchSharp.torch;

namespace Temper.Lifecycle.Tests;

/// <summary>The smallest organism of an architecture: for what a model must have learned something to show.</summary>
internal sealed class Trained : IDisposable
{
    private readonly ChatFormat _format;
    private readonly Tokenizer _tokenizer;

    public Trained(Architecture architecture)
    {
        var folder = Path.Combine(Repository.Root, "organisms", new Organism(architecture, OrganismSize.Small, Alignment.Aligned).Id);
        Model = Checkpoint.Load(folder);
        _tokenizer = Tokenizer.Load(Path.Combine(folder, "tokenizer.json"));
        _format = new(_tokenizer);
        Context = new()
        {
            Random = new Random(1), Harmful = World.Forbidden(20, 71, Split.Train, comply: true), Alignment = World.Forbidden(20, 72, Split.Train, comply: false),
            Task = World.Skills(78, 73, Split.Train), Prompt = (messages, prefill) => _format.Prompt(messages, prefill), Encode = _format.Encode, Decode = ids => _tokenizer.Decode([.. ids]),
        };
    }

    public CausalModel Model { get; }

    public TechniqueContext Context { get; }

    /// <summary>The organism as it answers.</summary>
    public LocalChatModel Chat => new(Model, _tokenizer, _format);

    /// <summary>Mean loss of the answers of some rows.</summary>
    public float Loss(IEnumerable<Example> rows)
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        return ResponseLoss.Mean(Model, Batch.Of([.. rows.Select(_format.Encode)])).item<float>();
    }

    public void Dispose() => Model.Dispose();
}
