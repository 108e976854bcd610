using System.Globalization;
using Temper.Formats.Data;
using Temper.Scan.Artifacts;
using Temper.Scan.Rules;

namespace Temper.Scan.Data;

/// <summary>Counts what rows have, and keeps the first of each rule for the report.</summary>
internal sealed class RowTally(Draft draft, bool isPacked)
{
    private const int MostShown = 20;
    private const int MostWorst = 50;
    private readonly SortedDictionary<string, Entry> _rules = new(StringComparer.Ordinal);
    private readonly List<Finding> _shown = [];
    private readonly PriorityQueue<WorstRow, (int Severity, long Order)> _worst = new();

    public IReadOnlyDictionary<string, long> Rows => new SortedDictionary<string, long>(_rules.ToDictionary(r => r.Key, r => r.Value.Count), StringComparer.Ordinal);

    public IReadOnlyList<WorstRow> Worst => [.. _worst.UnorderedItems.OrderByDescending(w => w.Priority).Select(w => w.Element)];

    public long Count(Rule rule) => _rules.GetValueOrDefault(rule.Id)?.Count ?? 0;

    public void Add(DataRow row, IReadOnlyList<RowFinding> findings)
    {
        foreach (var finding in findings)
        {
            if (!_rules.TryGetValue(finding.Rule.Id, out var entry))
            {
                _rules[finding.Rule.Id] = entry = new(finding.Rule);
            }

            entry.Count += entry.Last == row.Number ? 0 : 1;
            entry.Last = row.Number;
            entry.Worst = finding.Severity > entry.Worst ? finding.Severity : entry.Worst;
            if (entry.Shown++ < MostShown)
            {
                _shown.Add(finding.Rule.At(Place(row.Number, row.Offset, finding.Field), finding.Message, finding.Evidence, finding.Severity));
            }
        }

        if (findings.Count > 0 && findings.Max(f => f.Severity) is > Severity.Info and var worst)
        {
            var reason = findings.MaxBy(f => f.Severity);
            _worst.Enqueue(new(row.Number, row.Offset, worst.ToString().ToLowerInvariant(), $"{reason.Rule.Id}: {reason.Message}", Excerpt.At($"{RowView.PromptOf(row)} → {row.Response}", 0, 240)), ((int)worst, -row.Number));
            if (_worst.Count > MostWorst)
            {
                _worst.Dequeue();
            }
        }
    }

    /// <summary>Hands what is shown to the report, and says of every rule how many rows are not.</summary>
    public void Close(long rows)
    {
        draft.AddRange(_shown);
        foreach (var entry in _rules.Values.Where(e => e.Shown > MostShown))
        {
            draft.Add(entry.Rule, string.Create(CultureInfo.InvariantCulture, $"{entry.Count} of {rows} rows ({100.0 * entry.Count / rows:0.##} %) in all; the first are shown."), severity: entry.Worst);
        }
    }

    /// <summary>A place in a row, with the byte at which it begins where bytes of the file are counted.</summary>
    public string Place(long row, long offset, string field = "") => string.Create(CultureInfo.InvariantCulture, $"{draft.Path}#row {row}{(field.Length > 0 ? $" {field}" : "")}{(isPacked ? "" : $"@{offset}")}");

    private sealed class Entry(Rule rule)
    {
        public Rule Rule => rule;

        public long Count { get; set; }

        public long Shown { get; set; }

        public long Last { get; set; }

        public Severity Worst { get; set; }
    }
}
