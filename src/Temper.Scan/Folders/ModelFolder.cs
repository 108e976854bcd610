using Temper.Formats.Json;

namespace Temper.Scan.Folders;

/// <summary>A folder that holds a model, an adapter or a tokenizer; its JSON files are read once, when asked for.</summary>
internal sealed class ModelFolder(string path, IReadOnlyCollection<string> names)
{
    private const long LargestJson = 1L << 28;
    private readonly Dictionary<string, JsonTree?> _json = new(StringComparer.Ordinal);

    public string Path => path;

    public IReadOnlyCollection<string> Names => names;

    /// <summary>The folder with the files that lie directly in it.</summary>
    public static ModelFolder Open(string path) =>
        new(path, Directory.Exists(path) ? [.. Directory.EnumerateFiles(path).Select(f => System.IO.Path.GetFileName(f))] : []);

    public bool Has(string name) => names.Contains(name);

    public string File(string name) => System.IO.Path.Combine(path, name);

    /// <summary>A JSON file of the folder; null where there is none or it does not parse, which its own report says.</summary>
    public JsonTree? Json(string name)
    {
        if (!_json.TryGetValue(name, out var tree))
        {
            tree = _json[name] = ReadJson(name);
        }

        return tree;
    }

    /// <summary>A text file of the folder up to a length; null where there is none.</summary>
    public string? Text(string name, int most)
    {
        try
        {
            return Has(name) && new FileInfo(File(name)).Length <= most ? System.IO.File.ReadAllText(File(name)) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private JsonTree? ReadJson(string name)
    {
        try
        {
            if (!Has(name) || new FileInfo(File(name)).Length is 0 or > LargestJson)
            {
                return null;
            }

            using var bytes = Formats.Bytes.ByteSource.Open(File(name));
            return JsonTreeReader.Read(bytes.Head());
        }
        catch (Exception e) when (e is JsonTreeException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
