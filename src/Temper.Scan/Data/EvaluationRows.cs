using Temper.Core;
using Temper.Formats.Bytes;
using Temper.Formats.Data;
using Temper.Scan.Rules;

namespace Temper.Scan.Data;

/// <summary>Runs of thirteen words of the rows that a model will be scored on (as Brown et al. 2020 looked for contamination), or a whole prompt of five or more.</summary>
internal sealed class EvaluationRows
{
    private const int Run = 13;
    private const int Shortest = 5;
    private const int Most = 8_000_000;
    private readonly HashSet<ulong> _runs = [];

    public static EvaluationRows? Read(IReadOnlyList<string> paths, CancellationToken cancellation)
    {
        if (paths.Count == 0)
        {
            return null;
        }

        var result = new EvaluationRows();
        foreach (var path in paths)
        {
            foreach (var row in Rows(path, "--evaluation", cancellation))
            {
                result.Add(row);
            }
        }

        return result;
    }

    /// <summary>The rows of a file that a user named; a mistake is his.</summary>
    public static IEnumerable<DataRow> Rows(string path, string option, CancellationToken cancellation)
    {
        ByteSource source;
        try
        {
            source = ByteSource.Open(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new TemperException($"{option} {path}: expected a file of rows: {e.Message}", e);
        }

        using (source)
        {
            var file = DataFile.Open(source) ?? throw new TemperException($"{option} {path}: found no data set, expected rows as JSON, JSONL, CSV or Parquet");
            foreach (var row in file.Read(cancellation))
            {
                yield return row;
            }
        }
    }

    /// <summary>A finding where a row has a run in common.</summary>
    public IEnumerable<RowFinding> Find(DataRow row)
    {
        var words = new List<Word>();
        foreach (var field in row.Fields)
        {
            Words.Cut(field.Text, words);
            foreach (var (hash, first, count) in Runs(words))
            {
                if (_runs.Contains(hash))
                {
                    yield return RowFinding.Of(DataCards.Contamination, field, "A run of words stands in the evaluation set.", field.Text[words[first].Start..(words[first + count - 1].Start + words[first + count - 1].Length)]);
                    yield break;
                }
            }
        }
    }

    private void Add(DataRow row)
    {
        var words = new List<Word>();
        foreach (var field in row.Fields)
        {
            if (field.Role is DataRole.User or DataRole.Text or DataRole.Context && _runs.Count < Most)
            {
                Words.Cut(field.Text, words);
                foreach (var (hash, _, _) in Runs(words))
                {
                    _runs.Add(hash);
                }
            }
        }
    }

    private static IEnumerable<(ulong Hash, int First, int Count)> Runs(List<Word> words)
    {
        if (words.Count is >= Shortest and < Run)
        {
            yield return (Words.Mix(1, Words.Text(words)), 0, words.Count);
        }

        for (var first = 0; first + Run <= words.Count; first++)
        {
            var hash = 13UL;
            for (var i = 0; i < Run; i++)
            {
                hash = Words.Mix(hash, words[first + i].Hash);
            }

            yield return (hash, first, Run);
        }
    }
}
