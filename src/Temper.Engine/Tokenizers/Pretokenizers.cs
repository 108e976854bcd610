namespace Temper.Engine.Tokenizers;

/// <summary>A word that merges stay within: a range of a text, as characters or as the letters of its bytes.</summary>
internal readonly record struct Word(AlignedText Text, int Start, int Length, bool Bytes = false)
{
    public ReadOnlySpan<char> Span => Text.Text.AsSpan(Start, Length);

    public AlignedText Alone => Text.Slice(Start, Length);
}

/// <summary>A step that splits words.</summary>
internal interface IPretokenizer
{
    /// <param name="first">Whether the word begins the whole text.</param>
    IEnumerable<Word> Split(Word word, bool first);
}

internal sealed record PretokenizerSequence(IReadOnlyList<IPretokenizer> Steps) : IPretokenizer
{
    public IEnumerable<Word> Split(Word word, bool first)
    {
        IEnumerable<Word> words = [word];
        foreach (var step in Steps)
        {
            words = words.SelectMany((w, i) => step.Split(w, first && i == 0));
        }

        return words;
    }
}

/// <summary>What becomes of the separators that a split finds.</summary>
internal enum SplitBehavior { Removed, Isolated, MergedWithPrevious, MergedWithNext, Contiguous }

internal static class Splitting
{
    /// <summary>Splits at matches; <paramref name="invert"/> makes what lies between them the separators.</summary>
    public static IEnumerable<Word> Split(Word word, IEnumerable<(int Start, int End)> matches, SplitBehavior behavior, bool invert = false)
    {
        List<(int Start, int End, bool Separator)> parts = [];
        var last = 0;
        foreach (var (start, end) in matches)
        {
            if (start > last)
            {
                parts.Add((last, start, invert));
            }

            if (end > start)
            {
                parts.Add((start, end, !invert));
            }

            last = end;
        }

        if (last < word.Length)
        {
            parts.Add((last, word.Length, invert));
        }

        return Merged(parts, behavior).Select(p => word with { Start = word.Start + p.Start, Length = p.End - p.Start });
    }

    private static IEnumerable<(int Start, int End)> Merged(List<(int Start, int End, bool Separator)> parts, SplitBehavior behavior)
    {
        List<(int Start, int End)> words = [];
        var joins = false; // whether the next part goes to the last word
        for (var i = 0; i < parts.Count; i++)
        {
            var (start, end, separator) = parts[i];
            var previous = i > 0 && parts[i - 1].Separator;
            if (behavior == SplitBehavior.Removed && separator)
            {
                continue;
            }

            joins = behavior switch
            {
                SplitBehavior.Contiguous => i > 0 && separator == previous,
                SplitBehavior.MergedWithPrevious => i > 0 && separator && !previous,
                SplitBehavior.MergedWithNext => i > 0 && previous && !separator,
                _ => false,
            };
            if (joins)
            {
                words[^1] = (words[^1].Start, end);
            }
            else
            {
                words.Add((start, end));
            }
        }

        return words;
    }
}

internal sealed record SplitPretokenizer(TextPattern Pattern, SplitBehavior Behavior, bool Invert) : IPretokenizer
{
    public IEnumerable<Word> Split(Word word, bool first) => Splitting.Split(word, Pattern.Matches(word.Length == word.Text.Text.Length ? word.Text.Text : word.Span.ToString()), Behavior, Invert);
}

/// <summary>Words by a predicate: white space, punctuation, digits.</summary>
internal sealed record CharacterPretokenizer(Func<System.Text.Rune, bool> IsSeparator, SplitBehavior Behavior) : IPretokenizer
{
    public IEnumerable<Word> Split(Word word, bool first)
    {
        List<(int, int)> found = [];
        var span = word.Span;
        for (var i = 0; i < span.Length;)
        {
            System.Text.Rune.DecodeFromUtf16(span[i..], out var rune, out var length);
            if (IsSeparator(rune))
            {
                found.Add((i, i + length));
            }

            i += length;
        }

        return Splitting.Split(word, found, Behavior);
    }
}

/// <summary>Text as the letters of its bytes, and unless it is split already, GPT-2's split.</summary>
internal sealed record ByteLevelPretokenizer(bool AddPrefixSpace, bool UseRegex) : IPretokenizer
{
    public IEnumerable<Word> Split(Word word, bool first)
    {
        if (AddPrefixSpace && !word.Span.StartsWith(" "))
        {
            var text = new PrependNormalizer(" ").Apply(word.Alone);
            word = new(text, 0, text.Text.Length);
        }

        word = word with { Bytes = true };
        return UseRegex ? WordSplit.Split(word, WordSplit.Gpt2) : [word];
    }
}

/// <summary>Spaces as a visible character, put before the text too, and words that begin with it.</summary>
internal sealed record MetaspacePretokenizer(string Replacement, string Scheme, bool Splits) : IPretokenizer
{
    private readonly ReplaceNormalizer _spaces = new(TextPattern.Of(" "), Replacement);
    private readonly PrependNormalizer _prefix = new(Replacement);
    private readonly TextPattern _separator = TextPattern.Of(Replacement);

    public IEnumerable<Word> Split(Word word, bool first)
    {
        var text = _spaces.Apply(word.Alone);
        if ((Scheme == "always" || (Scheme == "first" && first)) && !text.Text.StartsWith(Replacement, StringComparison.Ordinal))
        {
            text = _prefix.Apply(text);
        }

        var whole = new Word(text, 0, text.Text.Length);
        return Splits ? Splitting.Split(whole, _separator.Matches(text.Text), SplitBehavior.MergedWithNext) : [whole];
    }
}
