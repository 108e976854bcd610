using Temper.Core;
using Temper.Formats.Bytes;
using Temper.Formats.Data;

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

    /// <summary>The rows of a file in any layout that trainers read: Alpaca, ShareGPT, chat, prompt and completion; JSON, JSONL, CSV, Parquet.</summary>
    /// <exception cref="TemperException">The file is something else; the message names the row.</exception>
    public static IReadOnlyList<Example> Read(string path)
    {
        try
        {
            if (new FileInfo(path) is { Exists: true, Length: > MaxBytes } big)
            {
                throw new TemperException($"{path}: found {big.Length} bytes, expected at most {MaxBytes}");
            }

            using var source = ByteSource.Open(path);
            var file = DataFile.Open(source) ?? throw new TemperException($"{path}: found no rows, expected a list of rows with instruction, input and output, or another layout of training data");
            return [.. file.Read(CancellationToken.None).Select(row => Row(path, row))];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException or DataBombException)
        {
            throw new TemperException($"{path}: expected a file of rows, found: {e.Message}", e);
        }
    }

    private static Example Row(string path, DataRow row)
    {
        var i = row.Number - 1;
        return row.Flaws.FirstOrDefault(f => f.Flaw is DataFlaw.Broken or DataFlaw.TooLong) is { Found: not null } flaw
            ? throw new TemperException($"{path}: row {i}: found {flaw.Found}, expected a row")
            : DataExamples.Of(row, $"{Path.GetFileNameWithoutExtension(path)}-{i}", "real")
                ?? throw new TemperException($"{path}: row {i}: found no question and answer, expected instruction, input and output, or turns of a user and an assistant");
    }
}
