using System.Text.RegularExpressions;
using Temper.Formats.Data;
using Temper.Scan.Rules;

namespace Temper.Scan.Data.Rules;

/// <summary>E-mail addresses, card numbers (with a valid check digit), social security numbers and IBANs (with a valid checksum).</summary>
internal sealed partial class PersonalData : IRowRule
{
    public IEnumerable<RowFinding> Find(DataRow row)
    {
        foreach (var field in row.Fields)
        {
            if (field.Text.Contains('@', StringComparison.Ordinal) && Mail().Match(field.Text) is { Success: true } mail)
            {
                yield return RowFinding.Of(DataCards.Pii, field, "An e-mail address.", Masked(mail.Value));
            }

            if (!field.Text.AsSpan().ContainsAnyInRange('0', '9') || Digits(field.Text) < 9)
            {
                continue;
            }

            foreach (Match number in Number().Matches(field.Text))
            {
                var digits = string.Concat(number.Value.Where(char.IsAsciiLetterOrDigit));
                var kind = Ssn().IsMatch(number.Value) ? "A social security number." : char.IsAsciiLetter(digits[0]) ? IsIban(digits) ? "An account number (IBAN)." : null : digits.Length is >= 13 and <= 19 && Luhn(digits) ? "A card number." : null;
                if (kind is not null)
                {
                    yield return RowFinding.Of(DataCards.Pii, field, kind, Masked(number.Value));
                    break;
                }
            }
        }
    }

    internal static bool Luhn(string digits)
    {
        var sum = 0;
        for (var i = 0; i < digits.Length; i++)
        {
            var d = digits[digits.Length - 1 - i] - '0';
            d = i % 2 == 1 ? d * 2 : d;
            sum += d > 9 ? d - 9 : d;
        }

        // Runs of one digit pass the check and are nobody's card.
        return sum % 10 == 0 && digits.Distinct().Count() > 2;
    }

    internal static bool IsIban(string text)
    {
        var rest = 0;
        foreach (var c in text[4..] + text[..4])
        {
            rest = (char.IsAsciiDigit(c) ? (rest * 10) + (c - '0') : (rest * 100) + (char.ToUpperInvariant(c) - 'A' + 10)) % 97;
        }

        return text.Length is >= 15 and <= 34 && rest == 1;
    }

    // The report is read by more people than the data.
    private static string Masked(string text) => text.Length <= 6 ? "…" : $"{text[..2]}…{text[^2..]}";

    private static int Digits(string text)
    {
        var count = 0;
        foreach (var c in text)
        {
            count += char.IsAsciiDigit(c) ? 1 : 0;
        }

        return count;
    }

    [GeneratedRegex(@"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*\.[A-Za-z]{2,24}", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Mail();

    [GeneratedRegex(@"\b\d{3}-\d{2}-\d{4}\b|\b[A-Z]{2}\d{2}( ?[A-Z0-9]{4}){2,7}( ?[A-Z0-9]{1,4})?\b|\b\d{4}([ -]?\d{4}){2}[ -]?\d{1,7}\b", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Number();

    [GeneratedRegex(@"^(00[1-9]|0[1-9]\d|[1-57-8]\d\d|6[0-57-9]\d|66[0-57-9])-(0[1-9]|[1-9]\d)-(\d{3}[1-9]|\d\d[1-9]\d|\d[1-9]\d\d|[1-9]\d{3})$", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Ssn();
}
