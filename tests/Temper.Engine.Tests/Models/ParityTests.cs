using Temper.Engine.Checkpoints;
using Temper.Tests;

namespace Temper.Engine.Tests.Models;

public sealed class ParityTests
{
    [Theory]
    [InlineData("llama")]
    [InlineData("llama_rope_scaled")]
    [InlineData("gpt2")]
    public void Agrees_with_transformers_in_logits_greedy_tokens_loss_and_gradients(string name)
    {
        var checks = Golden.Check(TestData.Require("reference", name));

        Assert.True(checks.Count > 20, "every parameter's gradient norm is compared");
        Assert.All(checks, c => Assert.True(c.Passed, $"{c.Name}: difference {c.Difference:g3}, tolerance {c.Tolerance:g3}"));
    }
}
