using Temper.Engine.Checkpoints;
using Temper.Engine.Lora;
using TorchSharp;

namespace Temper.Cli.Tests;

/// <summary>An adapter that changes what a checkpoint says.</summary>
internal static class ToyAdapter
{
    public static string Write(string checkpoint, string folder)
    {
        using var model = Checkpoint.Load(checkpoint);
        using var adapters = LoraAdapters.Attach(model, rank: 2, alpha: 4, targets: [], seed: 5);
        using (torch.no_grad())
        {
            using var scope = torch.NewDisposeScope();
            foreach (var layer in adapters.Layers)
            {
                using var random = new torch.Generator(7);
                layer.Adapter!.B.copy_(torch.randn(layer.Adapter.B.shape, generator: random).mul_(0.3));
            }
        }

        PeftFolder.Save(adapters, folder, "toy");
        return folder;
    }
}
