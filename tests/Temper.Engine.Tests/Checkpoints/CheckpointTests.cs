using Temper.Core;
using Temper.Engine.Checkpoints;
using Temper.Tests;

namespace Temper.Engine.Tests.Checkpoints;

public sealed class CheckpointTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("temper-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Saving_loading_and_saving_again_gives_the_same_bytes()
    {
        var origin = TestData.Require("reference", "llama");
        using (var model = Checkpoint.Load(origin))
        {
            Checkpoint.Save(model, origin, Path.Combine(folder, "one"));
        }

        using var again = Checkpoint.Load(Path.Combine(folder, "one"));
        Checkpoint.Save(again, origin, Path.Combine(folder, "two"));

        Assert.Equal(File.ReadAllBytes(Path.Combine(folder, "one", "model.safetensors")), File.ReadAllBytes(Path.Combine(folder, "two", "model.safetensors")));
    }

    [Theory]
    [InlineData("\"hidden_size\": 64", "\"hidden_size\": 65", "expected [")]
    [InlineData("\"hidden_size\": 64", "\"hidden_size\": 99999999999", "hidden_size")]
    [InlineData("\"hidden_act\": \"silu\"", "\"hidden_act\": \"relu\"", "hidden_act")]
    [InlineData("\"rope_type\": \"default\"", "\"rope_type\": \"yarn\"", "rope_type")]
    [InlineData("\"model_type\": \"llama\"", "\"model_type\": \"other\"", "model_type")]
    [InlineData("\"num_hidden_layers\": 3", "\"num_hidden_layers\": 2", "no tensor of that name")]
    [InlineData("\"num_hidden_layers\": 3", "\"num_hidden_layers\": 4", "found nothing")]
    public void A_lying_config_is_an_error_that_names_the_field(string found, string lie, string expected)
    {
        var origin = TestData.Require("reference", "llama");
        var config = File.ReadAllText(Path.Combine(origin, "config.json"));
        Assert.Contains(found, config, StringComparison.Ordinal);
        File.WriteAllText(Path.Combine(folder, "config.json"), config.Replace(found, lie, StringComparison.Ordinal));
        File.WriteAllBytes(Path.Combine(folder, "model.safetensors"), File.ReadAllBytes(Path.Combine(origin, "model.safetensors")));

        var error = Assert.Throws<TemperException>(() => Checkpoint.Load(folder).Dispose());

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }
}
