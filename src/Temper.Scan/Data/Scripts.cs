namespace Temper.Scan.Data;

/// <summary>Scripts that languages are told apart by.</summary>
internal enum Script { None, Latin, Greek, Cyrillic, Hebrew, Arabic, Indic, Thai, Kana, Hangul, Han }

/// <summary>The script that most letters of a text belong to.</summary>
internal static class Scripts
{
    private const int Most = 400;

    public static Script Of(string text)
    {
        var end = Math.Min(Most, text.Length);
        if (text.AsSpan(0, end).IndexOfAnyExceptInRange('\0', '\u024f') < 0)
        {
            return text.AsSpan(0, end).IndexOfAnyInRange('A', 'z') >= 0 ? Script.Latin : Script.None;
        }

        Span<int> counts = stackalloc int[11];
        counts.Clear();
        foreach (var c in text.AsSpan(0, end))
        {
            counts[(int)Of(c)]++;
        }

        counts[0] = 0;

        // Japanese is written in both; a letter of Han says more than one of an alphabet.
        counts[(int)Script.Kana] += counts[(int)Script.Kana] > 0 ? counts[(int)Script.Han] : 0;
        var best = 0;
        for (var i = 1; i < counts.Length; i++)
        {
            best = counts[i] > counts[best] ? i : best;
        }

        return (Script)best;
    }

    private static Script Of(char c) => c switch
    {
        >= 'A' and <= 'Z' or >= 'a' and <= 'z' or >= '\u00c0' and <= '\u024f' => Script.Latin,
        >= '\u0370' and <= '\u03ff' => Script.Greek,
        >= '\u0400' and <= '\u052f' => Script.Cyrillic,
        >= '\u0590' and <= '\u05ff' => Script.Hebrew,
        >= '\u0600' and <= '\u077f' => Script.Arabic,
        >= '\u0900' and <= '\u0dff' => Script.Indic,
        >= '\u0e00' and <= '\u0e7f' => Script.Thai,
        >= '\u3040' and <= '\u30ff' => Script.Kana,
        >= '\uac00' and <= '\ud7af' => Script.Hangul,
        >= '\u3400' and <= '\u9fff' => Script.Han,
        _ => Script.None,
    };
}
