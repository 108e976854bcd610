using System.Text;

namespace Temper.Engine.Tokenizers;

/// <summary>A step that rewrites text before it is split, and keeps what each character stands for.</summary>
internal interface INormalizer
{
    AlignedText Apply(AlignedText text);
}

internal sealed record NormalizerSequence(IReadOnlyList<INormalizer> Steps) : INormalizer
{
    public AlignedText Apply(AlignedText text) => Steps.Aggregate(text, (t, step) => step.Apply(t));
}

/// <summary>A prefix before a text that is not empty; it stands for the first character.</summary>
internal sealed record PrependNormalizer(string Prefix) : INormalizer
{
    public AlignedText Apply(AlignedText text)
    {
        if (text.Text.Length == 0)
        {
            return text;
        }

        var rewrite = new AlignedText.Rewrite(text);
        rewrite.Add(Prefix, 0);
        rewrite.Copy(0, text.Text.Length);
        return rewrite.Done();
    }
}

/// <summary>Each match replaced; the content stands for the match's last character.</summary>
internal sealed record ReplaceNormalizer(TextPattern Pattern, string Content) : INormalizer
{
    public AlignedText Apply(AlignedText text)
    {
        if (Pattern.Literal is { } literal && !text.IsTracked)
        {
            var replaced = text.Text.Replace(literal, Content, StringComparison.Ordinal);
            return AlignedText.Of(replaced, 0, replaced.Length, track: false);
        }

        var rewrite = new AlignedText.Rewrite(text);
        var last = 0;
        foreach (var (start, end) in Pattern.Matches(text.Text))
        {
            rewrite.Copy(last, start);
            if (end > start)
            {
                rewrite.Add(Content, end - 1);
            }

            last = end;
        }

        rewrite.Copy(last, text.Text.Length);
        return rewrite.Done();
    }
}

/// <summary>A normalization form of Unicode.</summary>
internal sealed record UnicodeNormalizer(NormalizationForm Form) : INormalizer
{
    public AlignedText Apply(AlignedText text)
    {
        if (text.Text.All(char.IsAscii))
        {
            return text;
        }

        var runes = TextPattern.Valid(text.Text).EnumerateRunes().Select(r => r.Value).ToList();
        var rewrite = new AlignedText.Rewrite(text);
        // a part that begins anew and holds what may combine with it is normalized alone
        for (int start = 0, at = 0; start < runes.Count;)
        {
            var end = start + 1;
            while (end < runes.Count && UnicodeForms.Joins(runes[end]))
            {
                end++;
            }

            at = end == start + 1 && UnicodeForms.IsPlain(runes[start], Form) ? Plain(rewrite, at, runes[start]) : Part(rewrite, at, runes.GetRange(start, end - start));
            start = end;
        }

        return rewrite.Done();
    }

    private static int Plain(AlignedText.Rewrite rewrite, int at, int rune)
    {
        rewrite.Add(char.ConvertFromUtf32(rune), at);
        return at + Size(rune);
    }

    /// <summary>Each result stands for the character with which its decomposition begins.</summary>
    private int Part(AlignedText.Rewrite rewrite, int at, List<int> runes)
    {
        var compatible = Form is NormalizationForm.FormKC or NormalizationForm.FormKD;
        List<int> owners = [], parts = [];
        foreach (var rune in runes)
        {
            parts.Clear();
            UnicodeForms.Decompose(rune, compatible, parts);
            owners.AddRange(Enumerable.Repeat(at, parts.Count));
            at += Size(rune);
        }

        var next = 0;
        foreach (var rune in UnicodeForms.Normalize(runes, Form))
        {
            rewrite.Add(char.ConvertFromUtf32(rune), owners[Math.Min(next, owners.Count - 1)]);
            parts.Clear();
            UnicodeForms.Decompose(rune, compatible, parts);
            next += parts.Count;
        }

        return at;
    }

    private static int Size(int rune) => rune > 0xFFFF ? 2 : 1;
}

internal sealed record LowercaseNormalizer : INormalizer
{
    public AlignedText Apply(AlignedText text)
    {
        var rewrite = new AlignedText.Rewrite(text);
        for (var i = 0; i < text.Text.Length;)
        {
            if (!Rune.TryGetRuneAt(text.Text, i, out var rune))
            {
                rewrite.Copy(i, i + 1);
                i++;
                continue;
            }

            rewrite.Add(Rune.ToLowerInvariant(rune).ToString(), i);
            i += rune.Utf16SequenceLength;
        }

        return rewrite.Done();
    }
}

/// <summary>White space cut off at the ends.</summary>
internal sealed record StripNormalizer(bool Left, bool Right) : INormalizer
{
    public AlignedText Apply(AlignedText text)
    {
        var start = Left ? text.Text.Length - text.Text.TrimStart().Length : 0;
        var end = Right ? text.Text.TrimEnd().Length : text.Text.Length;
        return text.Slice(start, Math.Max(0, end - start));
    }
}
