using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Temper.Core;

namespace Temper.Formats.SafeTensors;

/// <summary>Writes safetensors files whole or not at all: aside, flushed to disk, then renamed.</summary>
public static class SafeTensorsWriter
{
    private const int Alignment = 8;
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Keeps the order given; the same tensors and metadata always give the same bytes.</summary>
    public static void Write(string path, IReadOnlyList<TensorData> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        var header = Header(path, tensors, metadata);
        var aside = $"{path}.{Guid.NewGuid():N}.tmp";
        try
        {
            using (var stream = new FileStream(aside, FileMode.CreateNew, FileAccess.Write, FileShare.None))
            {
                stream.Write(header);
                foreach (var tensor in tensors)
                {
                    stream.Write(tensor.Bytes.Span);
                }

                stream.Flush(flushToDisk: true);
            }

            File.Move(aside, path, overwrite: true);
        }
        catch (Exception e)
        {
            Remove(aside);
            if (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
            {
                throw new TemperException($"{path}: found no way to write it ({e.Message}), expected a writable folder with room", e);
            }

            throw;
        }
    }

    private static byte[] Header(string path, IReadOnlyList<TensorData> tensors, IReadOnlyDictionary<string, string>? metadata)
    {
        var buffer = new ArrayBufferWriter<byte>();
        buffer.Write<byte>(stackalloc byte[SafeTensorsHeader.PrefixLength]);
        // As the reference writer: only what JSON demands is escaped.
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            WriteMetadata(path, json, metadata);
            var names = new HashSet<string>(StringComparer.Ordinal) { SafeTensorsHeader.MetadataKey };
            long offset = 0;
            foreach (var tensor in tensors)
            {
                if (!names.Add(tensor.Name))
                {
                    throw Defect.At(path, $"tensor {Defect.Quote(tensor.Name)}", "a name that is taken", "each name once");
                }

                offset = WriteTensor(path, json, tensor, offset);
            }

            json.WriteEndObject();
        }

        var padding = (Alignment - (buffer.WrittenCount % Alignment)) % Alignment;
        buffer.GetSpan(Alignment)[..padding].Fill((byte)' ');
        buffer.Advance(padding);
        var header = buffer.WrittenSpan.ToArray();
        var length = header.Length - SafeTensorsHeader.PrefixLength;
        if (length > SafeTensorsHeader.MaxLength)
        {
            throw Defect.At(path, "header length", $"{length} bytes", $"at most {SafeTensorsHeader.MaxLength}");
        }

        BinaryPrimitives.WriteInt64LittleEndian(header, length);
        return header;
    }

    private static void WriteMetadata(string path, Utf8JsonWriter json, IReadOnlyDictionary<string, string>? metadata)
    {
        if (metadata is not { Count: > 0 })
        {
            return;
        }

        json.WriteStartObject(SafeTensorsHeader.MetadataKey);
        foreach (var (key, value) in metadata)
        {
            RequireUnicode(path, $"{SafeTensorsHeader.MetadataKey} {Defect.Quote(key)}", key);
            RequireUnicode(path, $"{SafeTensorsHeader.MetadataKey} {Defect.Quote(key)}", value);
            json.WriteString(key, value);
        }

        json.WriteEndObject();
    }

    private static long WriteTensor(string path, Utf8JsonWriter json, TensorData tensor, long offset)
    {
        var place = $"tensor {Defect.Quote(tensor.Name)}";
        RequireUnicode(path, place, tensor.Name);
        if (tensor.Type.ByteCount(tensor.Shape) != tensor.Bytes.Length)
        {
            throw Defect.At(path, place, $"{tensor.Bytes.Length} bytes", $"as many as {tensor.Type.FileName()} [{string.Join(", ", tensor.Shape)}] takes");
        }

        json.WriteStartObject(tensor.Name);
        json.WriteString("dtype", tensor.Type.FileName());
        json.WriteStartArray("shape");
        foreach (var dimension in tensor.Shape)
        {
            json.WriteNumberValue(dimension);
        }

        json.WriteEndArray();
        json.WriteStartArray("data_offsets");
        json.WriteNumberValue(offset);
        json.WriteNumberValue(offset + tensor.Bytes.Length);
        json.WriteEndArray();
        json.WriteEndObject();
        return offset + tensor.Bytes.Length;
    }

    private static void RequireUnicode(string path, string place, string text)
    {
        try
        {
            StrictUtf8.GetByteCount(text);
        }
        catch (EncoderFallbackException e)
        {
            throw new TemperException($"{path}: {place}: found a lone surrogate, expected valid Unicode", e);
        }
    }

    private static void Remove(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The failure that brought us here is the one to report.
        }
    }
}
