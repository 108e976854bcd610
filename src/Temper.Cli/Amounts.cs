using System.CommandLine.Parsing;
using System.Globalization;

namespace Temper.Cli;

/// <summary>Values of options with a unit.</summary>
internal static class Amounts
{
    public static TimeSpan? Duration(ArgumentResult argument) =>
        Measure(argument, "a time such as 90s, 20m or 2h", ("s", 1), ("m", 60), ("h", 3600)) is { } seconds ? TimeSpan.FromSeconds(seconds) : null;

    public static long? Bytes(ArgumentResult argument) =>
        (long?)Measure(argument, "an amount such as 500m or 8g", ("k", 1 << 10), ("m", 1 << 20), ("g", 1 << 30), ("t", 1L << 40));

    private static double? Measure(ArgumentResult argument, string expected, params (string Unit, double Size)[] units)
    {
        var text = argument.Tokens.Count == 0 ? "" : argument.Tokens[0].Value;
        foreach (var (unit, size) in units)
        {
            if (text.EndsWith(unit, StringComparison.OrdinalIgnoreCase) && double.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.Float, CultureInfo.InvariantCulture, out var value)
                && value > 0 && value * size < 1e15)
            {
                return value * size;
            }
        }

        argument.AddError($"{argument.Argument.Name}: found {text}, expected {expected}");
        return null;
    }
}
