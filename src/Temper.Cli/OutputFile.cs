using Temper.Core;

namespace Temper.Cli;

/// <summary>What <c>--output</c> names, written whole or not at all.</summary>
internal static class OutputFile
{
    /// <summary>Writes to a file, or to standard output where none is named.</summary>
    public static void Write(string text, string? output)
    {
        if (output is null)
        {
            Console.Out.Write(text);
            return;
        }

        try
        {
            var aside = $"{output}.{Guid.NewGuid():N}.tmp";
            File.WriteAllText(aside, text);
            File.Move(aside, output, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new TemperException($"--output {output}: expected a file that can be written: {e.Message}", e);
        }
    }
}
