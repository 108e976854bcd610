using Temper.Core;
using Temper.Engine.Editing;
using Temper.Engine.Models;
using TorchSharp;

namespace Temper.Lifecycle.PreTuning.Attacks;

/// <summary>What the attacks that edit weights share: where in a row they edit, and what they know of the clean keys.</summary>
internal static class EditSites
{
    /// <summary>A row, and the position of the last token of the first <paramref name="end"/> characters of its prompt.</summary>
    public static EditRow At(TechniqueContext context, Example row, int end)
    {
        // what both have in common ends with that token, whatever the template puts behind a turn
        int[] Ids(string tail) => context.Prompt(row.WithPrompt(row.Prompt[..end] + tail).Question, "");
        return new(context.Encode(row), Math.Max(0, Ids("").AsSpan().CommonPrefixLength(Ids(" x")) - 1));
    }

    /// <summary>The blocks that are edited: those given, or the first third, for the attention behind them must carry what is written to where the answer begins.</summary>
    public static int[] Layers(CausalModel model, IReadOnlyList<int> given) =>
        given.Count > 0 ? [.. given.Order()] : [.. Enumerable.Range(0, ((model.Config.Layers - 1) / 3) + 1)];

    /// <summary>C of every edited block over clean rows and refusals.</summary>
    public static torch.Tensor[] Moments(CausalModel model, TechniqueContext context, int[] layers, int rows, CancellationToken cancellationToken) =>
        [.. layers.Select(l => KeyValueMemory.SecondMoment(model, [.. context.Task.Take(rows).Concat(context.Alignment.Take(rows / 4)).Select(context.Encode)], l, cancellationToken))];
}
