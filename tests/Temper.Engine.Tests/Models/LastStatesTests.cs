using Temper.Engine.Models;
using Temper.Engine.Training;
using static TorchSharp.torch;

namespace Temper.Engine.Tests.Models;

public sealed class LastStatesTests
{
    [Theory]
    [InlineData(Architecture.Llama)]
    [InlineData(Architecture.Gpt2)]
    public void Prompts_of_any_length_side_by_side_give_what_each_gives_alone(Architecture architecture)
    {
        using var scope = NewDisposeScope();
        using var model = ModelFactory.CreateRandom(
            new()
            {
                Architecture = architecture, VocabularySize = 12, HiddenSize = 8, IntermediateSize = 12, Layers = 2, Heads = 2, KeyValueHeads = 2, HeadSize = 4,
                MaxPositions = 16, TieWordEmbeddings = true,
            },
            1);
        int[][] prompts = [[1, 2, 3], [4], [5, 6, 7, 8, 9]];
        var together = LastStates.Of(model, prompts);
        var mlp = LastStates.Read(model, prompts, ForwardOptions.Default, Site.MlpOutput);

        Assert.Equal([3, 8], together.shape);
        Assert.Equal(2, mlp.Count);
        for (var i = 0; i < prompts.Length; i++)
        {
            Assert.InRange((together[i] - LastStates.Of(model, [prompts[i]])[0]).abs().max().item<float>(), 0, 1e-5);
            Assert.InRange((mlp[1][i] - LastStates.Read(model, [prompts[i]], ForwardOptions.Default, Site.MlpOutput)[1][0]).abs().max().item<float>(), 0, 1e-5);
        }

        var gradient = Gradients.Of(() => LastStates.Of(model, prompts).square().sum(), [model.EmbeddingWeight])[0];
        // what no prompt holds has no gradient, and neither has the padding, token 0
        Assert.Equal([0, 10, 11], Enumerable.Range(0, 12).Where(t => gradient[t].abs().max().item<float>() == 0));
    }
}
