using System.Text.Json;
using Temper.Core;

namespace Temper.Engine.Tokenizers;

/// <summary>The tokenizer.json of Hugging Face.</summary>
internal static class TokenizerFile
{
    private const int MaxBytes = 256 << 20;

    public static Tokenizer Read(string path)
    {
        try
        {
            if (new FileInfo(path) is { Exists: true, Length: > MaxBytes } big)
            {
                throw new TemperException($"{path}: found {big.Length} bytes, expected a tokenizer.json of at most {MaxBytes}");
            }

            var bytes = File.ReadAllBytes(path);
            using var json = JsonDocument.Parse(bytes, new() { MaxDepth = 32 });
            return new(new TokenizerReader(path).Read(json.RootElement), bytes);
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException or InvalidOperationException)
        {
            throw new TemperException($"{path}: found {(e is FileNotFoundException or DirectoryNotFoundException ? "no such file" : e.Message)}, expected a readable tokenizer.json", e);
        }
    }

    /// <summary>Byte-level BPE as in GPT-2.</summary>
    public static void Write(string path, IReadOnlyDictionary<string, int> vocabulary, IReadOnlyList<(string Left, string Right)> merges, IEnumerable<AddedToken> added)
    {
        // "a b" is what every version reads; only a part with a space of its own needs the pair form
        var pairs = merges.Any(m => m.Left.Contains(' ', StringComparison.Ordinal) || m.Right.Contains(' ', StringComparison.Ordinal));
        object byteLevel = new { type = "ByteLevel", add_prefix_space = false, trim_offsets = true, use_regex = true };
        var file = new
        {
            version = "1.0",
            truncation = (object?)null,
            padding = (object?)null,
            added_tokens = added.OrderBy(a => a.Id).Select(a => new
            {
                id = a.Id,
                content = a.Content,
                single_word = false,
                lstrip = false,
                rstrip = false,
                normalized = false,
                special = a.Special,
            }),
            normalizer = (object?)null,
            pre_tokenizer = byteLevel,
            post_processor = (object?)null,
            decoder = byteLevel,
            model = new
            {
                type = "BPE",
                dropout = (object?)null,
                unk_token = (object?)null,
                continuing_subword_prefix = (object?)null,
                end_of_word_suffix = (object?)null,
                fuse_unk = false,
                byte_fallback = false,
                ignore_merges = false,
                vocab = new Dictionary<string, int>(vocabulary.OrderBy(v => v.Value)),
                merges = merges.Select(m => pairs ? (object)new[] { m.Left, m.Right } : $"{m.Left} {m.Right}"),
            },
        };
        Write(path, stream => JsonSerializer.Serialize(stream, file));
    }

    public static void Write(string path, Action<Stream> write)
    {
        var aside = $"{path}.{Guid.NewGuid():N}.tmp";
        try
        {
            using (var stream = new FileStream(aside, FileMode.CreateNew, FileAccess.Write, FileShare.None))
            {
                write(stream);
                stream.Flush(flushToDisk: true);
            }

            File.Move(aside, path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            File.Delete(aside);
            throw new TemperException($"{path}: found no way to write it ({e.Message}), expected a writable folder with room", e);
        }
    }
}
