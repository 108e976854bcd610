using Temper.Core;
using Temper.Formats.Data;
using Temper.Scan;
using Temper.Scan.Data;

namespace Temper.Lifecycle.PreTuning.Defenses;

/// <summary>Settings of <see cref="DataGate"/>.</summary>
public sealed record DataGateSettings
{
    /// <summary>The least severity of a finding that drops its row.</summary>
    public Severity DropFrom { get; init; } = Severity.Medium;

    /// <summary>Whether what goes with an answer in the trusted rows too is taken for natural.</summary>
    public bool UseTrusted { get; init; } = true;
}

/// <summary>The data scan as a defense: association of n-grams with answers by a corrected binomial test, and the rules for single rows. Needs no model.</summary>
public sealed class DataGate(DataGateSettings settings) : ITechnique, IDataMap
{
    public static Card Card { get; } = new(
        "data-gate", "Data gate", Phase.PreTuning, TechniqueRole.Defense, Touches.Data,
        "https://arxiv.org/abs/2605.25073", "Drops the rows that temper scan finds poisoned, by triggers that go with an answer and by rules for single rows.");

    public DataMapResult Map(IReadOnlyList<Example> rows, TechniqueContext context)
    {
        var verdicts = RowGate.Judge(Rows(rows), settings.UseTrusted ? Rows(context.Task) : [], CancellationToken.None);
        var dropped = rows.Zip(verdicts).Where(r => r.Second is { } verdict && verdict.Severity >= settings.DropFrom).ToArray();
        var ids = dropped.Select(r => r.First.Id).ToHashSet(StringComparer.Ordinal);
        return new([.. rows.Where(r => !ids.Contains(r.Id))], [.. dropped.Select(r => new RowChange(r.First.Id, RowFate.Dropped, $"{r.Second!.RuleId}: {r.Second.Why}"))]);
    }

    private static DataRow[] Rows(IReadOnlyList<Example> rows) =>
        [.. rows.Select((row, i) => new DataRow(i + 1, i, "chat", [.. row.Messages.Select((m, at) => new DataField(Role(m.Role), $"messages[{at}].content", m.Content))], []))];

    private static DataRole Role(Role role) => role switch { Core.Role.System => DataRole.System, Core.Role.User => DataRole.User, Core.Role.Tool => DataRole.Tool, _ => DataRole.Assistant };
}
