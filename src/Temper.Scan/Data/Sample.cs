namespace Temper.Scan.Data;

/// <summary>What association needs of a row: what was asked, and which answers it counts with.</summary>
internal sealed record SampleRow(long Number, string Prompt, string Response, ulong Fixed, ulong Opening)
{
    /// <summary>The characters that it keeps in memory.</summary>
    public int Length => Prompt.Length + Response.Length;
}

/// <summary>
/// Rows kept in bounded memory: all of them while they fit, then a uniform sample (Vitter's R), and beside it the rows of the answers that come often
/// (space-saving counters of Metwally et al. 2005), so that a rare trigger in a huge file keeps its rows.
/// </summary>
internal sealed class Sample(int most, long mostChars, Random random)
{
    private const int Counters = 8192;
    private const int PerAnswer = 400;
    private const int FirstKept = 4;
    private const int LongestPrompt = 6000;
    private readonly List<SampleRow> _rows = [];
    private readonly Dictionary<ulong, Counter> _answers = [];
    private readonly PriorityQueue<ulong, long> _least = new();
    private long _chars;
    private long _extra;

    /// <summary>Rows seen.</summary>
    public long Seen { get; private set; }

    public IReadOnlyList<SampleRow> Rows => _rows;

    /// <summary>Whether every row is here.</summary>
    public bool IsWhole => Seen == _rows.Count;

    public void Add(SampleRow row)
    {
        Seen++;
        row = row.Prompt.Length > LongestPrompt ? row with { Prompt = row.Prompt[..LongestPrompt] } : row;
        if (_rows.Count < most && _chars < mostChars)
        {
            _rows.Add(row);
            _chars += row.Length;
        }
        else if (random.NextInt64(Seen) is var place && place < _rows.Count)
        {
            // A row may not be much longer than the one that it replaces, or long rows at the end would fill memory.
            var room = (int)Math.Max(_rows[(int)place].Prompt.Length, Math.Max(0, (mostChars / _rows.Count) - row.Response.Length));
            _rows[(int)place] = row.Prompt.Length > room ? row with { Prompt = row.Prompt[..room] } : row;
        }

        Count(row.Fixed, row);
        Count(row.Opening, row);
    }

    /// <summary>The answers that came at least <paramref name="least"/> times, the most frequent first.</summary>
    public IEnumerable<(ulong Key, long Count, IReadOnlyList<SampleRow> Rows)> Answers(int least) => _answers
        .Where(a => a.Value.Count - a.Value.Error >= least).OrderByDescending(a => a.Value.Count).ThenBy(a => a.Key).Select(a => (a.Key, a.Value.Count, (IReadOnlyList<SampleRow>)(a.Value.Rows ?? [])));

    private void Count(ulong key, SampleRow row)
    {
        if (key == 0)
        {
            return;
        }

        if (!_answers.TryGetValue(key, out var counter))
        {
            counter = new() { Error = _answers.Count < Counters ? 0 : Evict() };
            counter.Count = counter.Error;
            _answers[key] = counter;
            _least.Enqueue(key, counter.Count + 1);
        }

        counter.Count++;
        if (counter.Count - counter.Error >= FirstKept && (counter.Rows?.Count ?? 0) < PerAnswer && _extra < mostChars / 2)
        {
            (counter.Rows ??= []).Add(row);
            _extra += row.Length;
        }
    }

    // The queue holds counts as they were; one that has grown since goes back with what it is now.
    private long Evict()
    {
        while (true)
        {
            var key = _least.Dequeue();
            if (!_answers.TryGetValue(key, out var counter))
            {
                continue;
            }

            if (_least.TryPeek(out _, out var next) && counter.Count > next)
            {
                _least.Enqueue(key, counter.Count);
                continue;
            }

            _answers.Remove(key);
            _extra -= counter.Rows?.Sum(r => (long)r.Length) ?? 0;
            return counter.Count;
        }
    }

    private sealed class Counter
    {
        public long Count { get; set; }

        public long Error { get; init; }

        // Most answers come once and never have rows.
        public List<SampleRow>? Rows { get; set; }
    }
}
