using Temper.Core;
using Temper.Formats.Json;

namespace Temper.Engine.Tokenizers;

/// <summary>The tokens that end an answer of a checkpoint.</summary>
public static class EndTokens
{
    private const long MaxBytes = 8 << 20;

    /// <summary>All that generation_config.json or else config.json (<c>eos_token_id</c>) and tokenizer_config.json (<c>eos_token</c>) name; often chat models end turns otherwise than texts.</summary>
    public static IReadOnlyCollection<int> Of(string folder, Tokenizer tokenizer)
    {
        var ids = Ids(Read(Path.Combine(folder, "generation_config.json"))?["eos_token_id"]).ToHashSet();
        if (ids.Count == 0)
        {
            ids.UnionWith(Ids(Read(Path.Combine(folder, "config.json"))?["eos_token_id"]));
        }

        var token = Read(Path.Combine(folder, "tokenizer_config.json"))?["eos_token"];
        if ((token?.String ?? token?["content"]?.String) is { } text && tokenizer.IdOf(text) is { } id)
        {
            ids.Add(id);
        }

        return ids;
    }

    private static IEnumerable<int> Ids(JsonTree? value) =>
        (value?.Kind == JsonKind.Array ? value.Items : value is null ? [] : [value]).Select(v => v.Integer).Where(i => i is >= 0 and <= int.MaxValue).Select(i => (int)i!);

    private static JsonTree? Read(string path)
    {
        try
        {
            var file = new FileInfo(path);
            return !file.Exists ? null
                : file.Length <= MaxBytes ? JsonTreeReader.Read(File.ReadAllBytes(path)) : throw new TemperException($"{path}: found {file.Length} bytes, expected at most {MaxBytes}");
        }
        catch (Exception e) when (e is JsonTreeException or IOException or UnauthorizedAccessException)
        {
            throw new TemperException($"{path}: expected JSON: {e.Message}", e);
        }
    }
}
