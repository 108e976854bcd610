using System.Globalization;
using Temper.Formats.Data;
using Temper.Scan.Rules;

namespace Temper.Scan.Data.Rules;

/// <summary>Base64 and hexadecimal runs, and Latin letters whose frequencies are those of no language that is written with them (substitution ciphers).</summary>
internal sealed class EncodedText : IRowRule
{
    private static readonly string[] s_plain = [" the ", " and ", " for ", " are ", " that ", " der ", " und ", " que ", " los ", " les ", " des ", " het ", " che ", " een ", " som "];

    private const int LongestWord = 48;
    private const int FewestLetters = 80;

    // Negative natural log of the frequencies of a to z in English, in thousandths; rare letters count at most 5, or a text about pizza would be a cipher.
    private static ReadOnlySpan<short> MilliNats =>
    [
        2505, 4200, 3581, 3157, 2064, 3803, 3904, 2797, 2664, 5000, 4865, 3213, 3728,
        2696, 2589, 3948, 5000, 2815, 2761, 2402, 3590, 4628, 3747, 5000, 3925, 5000,
    ];

    // English prose is at 2.85 to 2.95 nats a letter, other languages in Latin letters below 3.2, a random substitution at about 3.6.
    private const double LeastNats = 3.35;

    public IEnumerable<RowFinding> Find(DataRow row)
    {
        foreach (var field in row.Fields)
        {
            if (field.Text.Length < LongestWord)
            {
                continue;
            }

            var (letters, sum, run, runEnd, longest) = (0, 0L, 0, 0, 0);
            for (var i = 0; i < field.Text.Length; i++)
            {
                var c = field.Text[i];
                var lower = (uint)((c | 0x20) - 'a');
                if (lower < 26)
                {
                    letters++;
                    sum += MilliNats[(int)lower];
                    run++;
                }
                else
                {
                    run = char.IsAsciiDigit(c) || c is '+' or '/' or '=' ? run + 1 : 0;
                }

                if (run > longest)
                {
                    (longest, runEnd) = (run, i + 1);
                }
            }

            var nats = sum / 1000.0;
            if (longest >= LongestWord && Packed(field.Text[(runEnd - longest)..runEnd]) is { } kind)
            {
                yield return RowFinding.Of(DataCards.Encoded, field, $"A run of {longest} characters of {kind}.", Excerpt.At(field.Text, runEnd - longest, 40));
            }
            else if (letters >= FewestLetters && letters * 2 > field.Text.Length && nats / letters >= LeastNats && !IsPlain(field.Text))
            {
                yield return RowFinding.Of(DataCards.Encoded, field, string.Create(CultureInfo.InvariantCulture, $"Letters as in a cipher: {nats / letters:0.00} nats a letter, prose has less than 3.2."), Excerpt.At(field.Text, 0));
            }
        }
    }

    // A substitution leaves no word of three letters what it was.
    private static bool IsPlain(string text) => s_plain.Any(w => text.Contains(w, StringComparison.OrdinalIgnoreCase));

    // A word of letters alone, or a path, is no encoding: base64 of any text has capitals, small letters and digits.
    private static string? Packed(string run)
    {
        if (run.Count(c => c == '/') > run.Length / 12)
        {
            return null;
        }

        var isHex = run.All(char.IsAsciiHexDigit);
        return isHex ? run.Any(char.IsAsciiDigit) && run.Any(char.IsAsciiLetter) ? "hexadecimal digits" : null
            : run.Any(char.IsAsciiLetterUpper) && run.Any(char.IsAsciiLetterLower) && run.Any(char.IsAsciiDigit) ? "base64" : null;
    }
}
