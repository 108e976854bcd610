using System.Text;
using Temper.Core;

namespace Temper.Formats.SafeTensors;

/// <summary>Messages about hostile files: place, found, expected, with foreign text made harmless and short.</summary>
internal static class Defect
{
    private const int MaxQuoted = 100;

    public static TemperException At(string path, string place, string found, string expected) =>
        new($"{path}: {place}: found {found}, expected {expected}");

    public static TemperException Unreadable(string path, Exception cause) =>
        new($"{path}: found no readable file ({cause.Message}), expected a safetensors file", cause);

    public static string Quote(string text)
    {
        var quoted = new StringBuilder("'");
        foreach (var c in text.AsSpan(0, Math.Min(text.Length, MaxQuoted)))
        {
            // Format characters and surrogates too: a tensor's name must not turn the line around in a terminal.
            var plain = char.IsLetterOrDigit(c) || char.IsPunctuation(c) || char.IsSymbol(c) || c == ' ';
            quoted.Append(plain ? c.ToString() : $"\\u{(int)c:x4}");
        }

        return quoted.Append(text.Length > MaxQuoted ? "…'" : "'").ToString();
    }
}
