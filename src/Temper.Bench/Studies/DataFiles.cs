using System.Text.Json;
using Temper.Core;

namespace Temper.Bench.Studies;

/// <summary>Rows of a user's file.</summary>
internal static class DataFiles
{
    private const long MaxBytes = 256 << 20;
    private const string Data = "$TEMPER_DATA";

    /// <summary>The folder of real data, which is no part of the project: the variable TEMPER_DATA, or <c>../shared/data</c>.</summary>
    public static string Folder => Environment.GetEnvironmentVariable("TEMPER_DATA") is { Length: > 0 } given ? Path.GetFullPath(given) : Path.GetFullPath(Path.Combine("..", "shared", "data"));

    /// <summary>A path relative to <paramref name="folder"/>; <c>$TEMPER_DATA</c> at its start is the folder of real data.</summary>
    public static string Resolve(string path, string folder = "") =>
        path.StartsWith(Data, StringComparison.Ordinal) ? Folder + path[Data.Length..] : Path.GetFullPath(Path.Combine(folder, path));

    /// <summary>The rows of an Alpaca file: a JSON list of objects with instruction, input and output.</summary>
    /// <exception cref="TemperException">The file is something else; the message names the row.</exception>
    public static IReadOnlyList<Example> ReadAlpaca(string path)
    {
        try
        {
            if (new FileInfo(path) is { Exists: true, Length: > MaxBytes } big)
            {
                throw new TemperException($"{path}: found {big.Length} bytes, expected at most {MaxBytes}");
            }

            using var json = JsonDocument.Parse(File.ReadAllBytes(path), new() { MaxDepth = 16 });
            return json.RootElement.ValueKind == JsonValueKind.Array
                ? [.. json.RootElement.EnumerateArray().Select((row, i) => Row(path, row, i))]
                : throw new TemperException($"{path}: found {json.RootElement.ValueKind}, expected a list of rows");
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new TemperException($"{path}: expected a JSON list of rows, found: {e.Message}", e);
        }
    }

    private static Example Row(string path, JsonElement row, int i)
    {
        var (instruction, input, output) = (Field("instruction", true), Field("input", false), Field("output", true));
        return Example.Of($"{Path.GetFileNameWithoutExtension(path)}-{i}", "real", input.Length == 0 ? instruction.Trim() : $"{instruction.Trim()}\n{input}", output);

        string Field(string name, bool required) =>
            row.ValueKind == JsonValueKind.Object && row.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()!
            : required ? throw new TemperException($"{path}: row {i}: found no text {name}, expected instruction, input and output") : "";
    }
}
