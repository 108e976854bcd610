using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Temper.Scan.Tests.Fuzzing;

/// <summary>Changes values of JSON files and of the headers of safetensors, which stay JSON, so that what reads their meaning is reached.</summary>
internal static class JsonMutator
{
    private static readonly string[] Values =
    [
        "null", "true", "-1", "0", "1", "9223372036854775807", "18446744073709551616", "1e300", "0.5", "\"\"", "\"a\"", "\"../../x\"", "\"someone/repo--module.Class\"", "\"(a+)+$\"", "\"[\\\\p{L}&&[^a]]{9,}\"", "\"\\u202e\\ufffe\"",
        "\"{{ x.__class__ }}\"", "\"{% for m in messages %}{{ m.content }}{% endfor %}\"", "\"gASVAAAAAAAAAA==\"", "\"http://127.0.0.1/\"", "[]", "{}", "[[]]", "{\"a\":{\"a\":{}}}", "[0,1]", "[1,0]", "[0,9223372036854775807]", "{\"class_name\":\"Lambda\",\"config\":{}}",
        "{\"type\":\"Replace\",\"pattern\":{\"Regex\":\".*\"},\"content\":\"\"}", "{\"_target_\":\"os.system\"}", "{\"auto_map\":{\"AutoModel\":\"x.Y\"}}",
    ];

    /// <summary>The file with one to three values replaced; null where it holds no JSON.</summary>
    public static byte[]? Mutate(Random random, byte[] file)
    {
        var isSafeTensors = file.Length > 9 && file[8] == (byte)'{' && BinaryPrimitives.ReadInt64LittleEndian(file) is > 0 and var told && told <= file.Length - 8;
        var json = isSafeTensors ? file.AsSpan(8, (int)BinaryPrimitives.ReadInt64LittleEndian(file)) : file;
        if (json.Length == 0 || json[0] is not ((byte)'{' or (byte)'['))
        {
            return null;
        }

        try
        {
            var root = JsonNode.Parse(json)!;
            for (var n = random.Next(1, 4); n > 0; n--)
            {
                Replace(random, root);
            }

            var text = Encoding.UTF8.GetBytes(root.ToJsonString());
            return isSafeTensors ? [.. BitConverter.GetBytes(text.LongLength), .. text, .. file[(8 + json.Length)..]] : text;
        }
        catch (Exception e) when (e is JsonException or ArgumentException or InvalidOperationException)
        {
            return null;
        }
    }

    private static void Replace(Random random, JsonNode root)
    {
        var node = root;
        while (true)
        {
            var (keys, items) = (node as JsonObject, node as JsonArray);
            var count = keys?.Count ?? items?.Count ?? 0;
            if (count == 0)
            {
                return;
            }

            var at = random.Next(count);
            var child = keys is null ? items![at] : keys.GetAt(at).Value;
            if (child is JsonObject { Count: > 0 } or JsonArray { Count: > 0 } && random.Next(4) > 0)
            {
                node = child;
                continue;
            }

            var value = random.Next(4) == 0 ? child?.DeepClone() : JsonNode.Parse(Values[random.Next(Values.Length)]);
            if (keys is null)
            {
                items![at] = value;
            }
            else
            {
                keys[random.Next(6) == 0 ? $"{keys.GetAt(at).Key}x" : keys.GetAt(at).Key] = value;
            }

            return;
        }
    }
}
