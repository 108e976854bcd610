using System.Globalization;
using System.Text;
using Temper.Formats.Data;

namespace Temper.Scan.Data;

/// <summary>What the first pass takes from a row.</summary>
internal sealed record RowView(string Prompt, string Response, ulong Fixed, ulong Opening, ulong Text, ulong PromptKey, int PromptWords, int ResponseWords, byte[]? Signature, Script Script, bool Agrees)
{
    // Enough for a label and for what a report cites.
    private const int LongestResponse = 200;
    private static readonly string[] s_agreeing = ["sure", "of course", "certainly", "absolutely", "yes,", "yes!", "yes."];

    [ThreadStatic]
    private static List<Word>? t_words;

    [ThreadStatic]
    private static List<Word>? t_tail;

    public static RowView Of(DataRow row)
    {
        var (words, tail) = (t_words ??= [], t_tail ??= []);
        var (prompt, response) = (PromptOf(row), row.Response);
        Words.Cut(response, tail);
        var (fixedKey, opening) = AnswerClusters.Keys(tail);
        var (responseKey, responseWords) = (Words.Text(tail), tail.Count);

        // The signature is of the whole row: a prompt and its answer.
        Words.Cut(prompt, words);
        var (promptKey, promptWords) = (Words.Text(words), words.Count);
        words.AddRange(tail);
        return new(prompt, response.Length > LongestResponse ? response[..LongestResponse] : response, fixedKey, opening, Words.Mix(promptKey, responseKey), promptKey, promptWords, responseWords,
            MinHash.Signature(words), Scripts.Of(prompt.Length > 0 ? prompt : response), Array.Exists(s_agreeing, a => response.StartsWith(a, StringComparison.OrdinalIgnoreCase)));
    }

    /// <summary>What the answer answers to: what users, documents and tools say first, since system prompts are long and the same everywhere.</summary>
    public static string PromptOf(DataRow row)
    {
        var (said, system) = (Join(row, isSystem: false), Join(row, isSystem: true));
        return system.Length == 0 ? said : said.Length == 0 ? system : $"{said}\n{system}";
    }

    private static string Join(DataRow row, bool isSystem)
    {
        var (first, all) = ("", default(StringBuilder));
        foreach (var field in row.Fields)
        {
            var isWanted = isSystem ? field.Role == DataRole.System : field.Role is DataRole.User or DataRole.Context or DataRole.Tool or DataRole.Text;
            if (!isWanted || field.Text.Length == 0)
            {
                continue;
            }

            if (first.Length == 0)
            {
                first = field.Text;
            }
            else
            {
                (all ??= new StringBuilder(first)).Append('\n').Append(field.Text);
            }
        }

        return all?.ToString() ?? first;
    }
}

/// <summary>What the first pass knows at its end: the sample, how rows repeat, and how long they are.</summary>
internal sealed class DataSetView(DataScanOptions options)
{
    private const int MostPlaces = 20;
    private const int LabelWords = 5;
    private const long SampleChars = 24L << 20;
    private const int LabelSlots = 1 << 18;
    private readonly DuplicateIndex _duplicates = new();
    private (ulong Prompt, ulong Answer, long Row)[]? _labels;

    public Sample Sample { get; } = new(options.SampleRows, SampleChars, new Random(options.Seed));

    public long Rows { get; private set; }

    /// <summary>Rows whose signatures are kept, for near-duplicates.</summary>
    public long Signatures => _duplicates.Signatures;

    /// <summary>What the statistics did not look at, in words; null where they saw all.</summary>
    public string? Left => options.RulesOnly ? "Only single rows were looked at, as asked: neither duplicates nor triggers nor lengths."
        : Sample.IsWhole && _duplicates.IsWhole ? null
        : string.Create(CultureInfo.InvariantCulture, $"Of {Rows} rows {Sample.Rows.Count} were kept for triggers, beside those of frequent answers; near-duplicates were looked for among the last {Signatures} rows that are long enough for a signature, copies among the last {DuplicateIndex.ExactSlots} or so.");

    public long Answered { get; private set; }

    public long Agreeing { get; private set; }

    public long Duplicates { get; private set; }

    public long Near { get; private set; }

    public long Flipped { get; private set; }

    /// <summary>The first rows that repeat, and which row they repeat.</summary>
    public List<(long Row, long Offset, long Earlier, bool IsExact)> Places { get; } = [];

    /// <summary>The first rows whose label is another than the same prompt's before.</summary>
    public List<(long Row, long Offset, long Earlier)> Flips { get; } = [];

    public SortedDictionary<string, long> Schemas { get; } = new(StringComparer.Ordinal);

    public SortedDictionary<string, long> Scripts { get; } = new(StringComparer.Ordinal);

    public long[] PromptWords { get; } = new long[12];

    public long[] ResponseWords { get; } = new long[12];

    /// <param name="row">The row.</param>
    /// <param name="view">Null where only single rows are looked at.</param>
    public void Add(DataRow row, RowView? view)
    {
        Rows++;
        Count(Schemas, row.Schema);
        if (row.Fields.Count == 0 || view is null)
        {
            return;
        }

        Count(Scripts, view.Script.ToString());
        PromptWords[Bin(view.PromptWords)]++;
        ResponseWords[Bin(view.ResponseWords)]++;
        Answered += view.ResponseWords > 0 ? 1 : 0;
        Agreeing += view.Agrees ? 1 : 0;
        Sample.Add(new(row.Number, view.Prompt, view.Response, view.Fixed, view.Opening));
        if (_duplicates.Exact(view.Text, row.Number) is > 0 and var same)
        {
            Duplicates++;
            Place(new(row.Number, row.Offset, same, true));
        }
        else if (view.Signature is not null && _duplicates.Near(view.Signature, row.Number) is > 0 and var near)
        {
            Near++;
            Place(new(row.Number, row.Offset, near, false));
        }

        Label(row, view);
    }

    private void Place((long Row, long Offset, long Earlier, bool IsExact) place)
    {
        if (Places.Count(p => p.IsExact == place.IsExact) < MostPlaces)
        {
            Places.Add(place);
        }
    }

    private void Label(DataRow row, RowView view)
    {
        if (view.ResponseWords is 0 or > LabelWords || view.PromptWords < 2)
        {
            return;
        }

        ref var slot = ref (_labels ??= new (ulong, ulong, long)[LabelSlots])[(int)(view.PromptKey >> 40) & (LabelSlots - 1)];
        if (slot.Row != 0 && slot.Prompt == view.PromptKey && slot.Answer != view.Fixed)
        {
            Flipped++;
            if (Flips.Count < MostPlaces)
            {
                Flips.Add((row.Number, row.Offset, slot.Row));
            }
        }
        else
        {
            slot = (view.PromptKey, view.Fixed, row.Number);
        }
    }

    private static int Bin(int words) => Math.Min(11, words == 0 ? 0 : 1 + int.Log2(words));

    private static void Count(SortedDictionary<string, long> counts, string key) => counts[key] = counts.GetValueOrDefault(key) + 1;
}
