using System.Text;
using System.Text.Json;
using Temper.Core;
using Temper.Formats.Data;

namespace Temper.Scan.Data;

/// <summary>Writes the rows that are kept as they stood in the file, and beside it every dropped row with why; both appear when they are whole.</summary>
internal sealed class CleanFile : IDisposable
{
    private readonly string _path;
    private readonly string _aside;
    private readonly DataLayout _layout;
    private readonly FileStream _kept;
    private readonly FileStream _dropped;

    public CleanFile(string path, DataFile file)
    {
        (_path, _aside, _layout) = (path, $"{path}.{Guid.NewGuid():N}.tmp", file.Layout);
        try
        {
            _kept = File.Create(_aside);
            _dropped = File.Create($"{_aside}.dropped");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new TemperException($"--write-clean {path}: expected a file that can be written: {e.Message}", e);
        }

        _kept.Write(_layout == DataLayout.JsonArray ? "[\n"u8 : file.Header is { } header ? [.. header, (byte)'\n'] : []);
    }

    public long Kept { get; private set; }

    public long Dropped { get; private set; }

    public void Keep(RawRow row)
    {
        if (_layout == DataLayout.JsonArray && Kept > 0)
        {
            _kept.Write(",\n"u8);
        }

        _kept.Write(row.Bytes);
        if (_layout != DataLayout.JsonArray)
        {
            _kept.Write("\n"u8);
        }

        Kept++;
    }

    public void Drop(RawRow row, IReadOnlyList<RowFinding> why)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteNumber("row", row.Number);
            json.WriteNumber("offset", row.Offset);
            json.WriteStartArray("why");
            foreach (var finding in why)
            {
                json.WriteStartObject();
                json.WriteString("rule", finding.Rule.Id);
                json.WriteString("severity", finding.Severity.ToString().ToLowerInvariant());
                json.WriteString("field", Whole(finding.Field));
                json.WriteString("message", Whole(finding.Message));
                json.WriteString("evidence", Whole(finding.Evidence));
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteString("text", Whole(Encoding.UTF8.GetString(row.Bytes)));
            json.WriteEndObject();
        }

        _dropped.Write(buffer.ToArray());
        _dropped.Write("\n"u8);
        Dropped++;
    }

    public void Finish()
    {
        _kept.Write(_layout == DataLayout.JsonArray ? "\n]\n"u8 : []);
        _kept.Flush(flushToDisk: true);
        _dropped.Flush(flushToDisk: true);
        _kept.Dispose();
        _dropped.Dispose();
        File.Move(_aside, _path, overwrite: true);
        File.Move($"{_aside}.dropped", $"{_path}.dropped.jsonl", overwrite: true);
    }

    public void Dispose()
    {
        _kept.Dispose();
        _dropped.Dispose();
        File.Delete(_aside);
        File.Delete($"{_aside}.dropped");
    }

    // Half a surrogate pair is no text that JSON can carry.
    private static string Whole(string text) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));
}
