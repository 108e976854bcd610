using System.Collections.Concurrent;
using Temper.Bench.Planning;
using Temper.Core;
using Temper.Lifecycle.Agents;
using Temper.Lifecycle.Evaluation;

namespace Temper.Bench.Execution;

/// <summary>One judge for each set of task rows: training it takes longer than all its judgments.</summary>
internal static class Judges
{
    private static readonly ConcurrentDictionary<string, Lazy<Judge>> s_judges = new(StringComparer.Ordinal);

    public static Judge For(IReadOnlyList<Example> task)
    {
        // rows of the world bring no word that the judge does not know
        var foreign = task.Where(r => r.Kind == "real" || AgentWorld.Kinds.Contains(r.Kind, StringComparer.Ordinal)).SelectMany(r => r.Messages).Select(m => m.Content).ToArray();
        return s_judges.GetOrAdd(Stage.Hash(string.Join('\n', foreign)), _ => new(() => Judge.OfWorld(foreign))).Value;
    }
}
