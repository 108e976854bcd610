using Temper.Core;
using Temper.Engine.Models;
using Temper.Engine.Training;
using Temper.Lifecycle.Evaluation;

namespace Temper.Lifecycle.PostTuning.Defenses;

/// <summary>What the tuned model itself says to the requests that it should refuse: where it complies, these are the harmful rows that a defender has without writing any.</summary>
internal static class OwnAnswers
{
    private const int MaxTokens = 40;

    /// <summary>The requests that the model does not refuse, as it answers them.</summary>
    public static IReadOnlyList<Example> Complying(CausalModel model, TechniqueContext context, int rows, CancellationToken cancellationToken)
    {
        Example[] asked = [.. context.Alignment.Take(rows)];
        var answers = asked.Length == 0 ? [] : WeightsProbe.Ask(model, context, asked, MaxTokens, cancellationToken);
        return [.. asked.Zip(answers, (row, answer) => row.WithResponse(answer.Text)).Where((r, i) => r.Response.Trim().Length > 0 && r.Response.Trim() != asked[i].Response.Trim() && !RefusalKeywords.Match(r.Response))];
    }

    /// <summary>The refusal preferred to what the model says instead.</summary>
    public static IReadOnlyList<PreferencePair> Pairs(CausalModel model, TechniqueContext context, int rows, CancellationToken cancellationToken)
    {
        var refusals = context.Alignment.ToDictionary(r => r.Id, StringComparer.Ordinal);
        return [.. Complying(model, context, rows, cancellationToken).Select(r => new PreferencePair(context.Encode(refusals[r.Id]), context.Encode(r)))];
    }
}
