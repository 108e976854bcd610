using System.Buffers.Binary;
using System.Text;
using Temper.Core;
using Temper.Formats.SafeTensors;

namespace Temper.Formats.Tests.SafeTensors;

public sealed class SafeTensorsTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("temper-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData(TensorType.F32, 0)]
    [InlineData(TensorType.F16, 1e-3)]
    [InlineData(TensorType.BF16, 1e-2)]
    public void What_is_written_is_read_again(TensorType type, double tolerance)
    {
        float[] values = [1.5f, -2.25f, 0.1f, 3e-3f, 0, 7];
        SafeTensorsWriter.Write(At("a"), [TensorData.FromFloats("w", [2, 3], values, type), TensorData.FromFloats("empty", [0, 4], [], type), TensorData.FromFloats("scalar", [], [2], type)]);

        using var file = SafeTensorsFile.Open(At("a"));
        var found = new float[6];
        file.ReadFloats(file.Tensors[0], found);

        Assert.Equal(["w", "empty", "scalar"], file.Tensors.Select(t => t.Name));
        Assert.All(values.Zip(found), pair => Assert.Equal(pair.First, pair.Second, tolerance * Math.Max(1, Math.Abs(pair.First))));
    }

    [Theory]
    [InlineData("[]", "an object")]
    [InlineData("{\"a\":{\"dtype\":\"F99\",\"shape\":[1],\"data_offsets\":[0,4]}}", "F99")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}", "none negative")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}", "expected 8")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904,4611686018427387904],\"data_offsets\":[0,4]}}", "size that a file can have")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", "range inside")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", "second entry")]
    [InlineData("{\"a\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[0,3]},\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[2,4]}}", "overlap")]
    [InlineData("{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", "after the last tensor")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", "incomplete")]
    [InlineData("{\"__metadata__\":{\"k\":1}}", "a string")]
    [InlineData("{\"a\":", "found")]
    public void A_lying_header_is_an_error_that_names_the_file(string header, string expected)
    {
        WriteRaw(At("bad"), header, new byte[4]);

        var error = Assert.Throws<TemperException>(() => SafeTensorsFile.Open(At("bad")).Dispose());

        Assert.StartsWith(At("bad"), error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_header_length_beyond_the_file_is_an_error_and_allocates_nothing()
    {
        var bytes = new byte[16];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, ulong.MaxValue);
        File.WriteAllBytes(At("long"), bytes);

        Assert.Contains("header length", Assert.Throws<TemperException>(() => SafeTensorsFile.Open(At("long"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Mutated_files_end_in_a_clear_error_or_open()
    {
        SafeTensorsWriter.Write(At("good"), [TensorData.FromFloats("layer.weight", [2, 2], [1, 2, 3, 4], TensorType.F32), TensorData.FromFloats("layer.bias", [2], [5, 6], TensorType.F16)]);
        var good = File.ReadAllBytes(At("good"));
        const int seed = 7;
        var random = new Random(seed);
        for (var round = 0; round < 2000; round++)
        {
            var bytes = good.ToArray();
            for (var edits = random.Next(1, 4); edits > 0; edits--)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }

            File.WriteAllBytes(At("mutant"), bytes[..random.Next(bytes.Length / 2, bytes.Length + 1)]);
            var escaped = Record.Exception(() => SafeTensorsFile.Open(At("mutant")).Dispose());
            Assert.True(escaped is null or TemperException, $"seed {seed}, round {round}: {escaped}");
        }
    }

    [Fact]
    public void A_shard_index_cannot_leave_its_folder()
    {
        File.WriteAllText(At("model.safetensors.index.json"), """{"weight_map":{"w":"../w.safetensors"}}""");

        Assert.Contains("plain file name", Assert.Throws<TemperException>(() => ShardedSafeTensors.Open(folder)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Shards_are_read_as_one()
    {
        SafeTensorsWriter.Write(At("one.safetensors"), [TensorData.FromFloats("a", [1], [1], TensorType.F32)]);
        SafeTensorsWriter.Write(At("two.safetensors"), [TensorData.FromFloats("b", [1], [2], TensorType.F32)]);
        File.WriteAllText(At("model.safetensors.index.json"), """{"weight_map":{"a":"one.safetensors","b":"two.safetensors"}}""");

        using var all = ShardedSafeTensors.Open(folder);
        var value = new float[1];
        all.ReadFloats("b", value);

        Assert.Equal(2, value[0]);
    }

    private string At(string name) => Path.Combine(folder, name);

    private static void WriteRaw(string path, string header, byte[] data)
    {
        var json = Encoding.UTF8.GetBytes(header);
        var length = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, json.Length);
        File.WriteAllBytes(path, [.. length, .. json, .. data]);
    }
}
