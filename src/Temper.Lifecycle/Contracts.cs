using Temper.Core;
using Temper.Engine.Models;

namespace Temper.Lifecycle;

/// <summary>What a technique may draw on besides its input. Attackers see the attacker's rows, defenders their own alignment rows; both see the task.</summary>
public sealed record TechniqueContext
{
    /// <summary>Seeded by the stage.</summary>
    public required Random Random { get; init; }

    /// <summary>Complying rows on forbidden topics, disjoint from the rows of the evaluation.</summary>
    public required IReadOnlyList<Example> Harmful { get; init; }

    /// <summary>Refusals of forbidden requests, disjoint from both.</summary>
    public required IReadOnlyList<Example> Alignment { get; init; }

    /// <summary>Clean rows of the user's task.</summary>
    public required IReadOnlyList<Example> Task { get; init; }

    /// <summary>A conversation and the opening of its answer, as token ids in the model's template.</summary>
    public required Func<IReadOnlyList<Message>, string, int[]> Prompt { get; init; }
}

/// <summary>Examples to examples, with a report of every row changed or dropped.</summary>
public interface IDataMap
{
    DataMapResult Map(IReadOnlyList<Example> rows, TechniqueContext context);
}

/// <summary>Checkpoint to checkpoint, in place.</summary>
public interface IWeightMap
{
    void Map(CausalModel model, TechniqueContext context, CancellationToken cancellationToken);
}

/// <summary>Wraps a chat model, as a delegating client wraps another.</summary>
public interface IInferenceLayer
{
    IChatModel Wrap(IChatModel inner, TechniqueContext context);
}
