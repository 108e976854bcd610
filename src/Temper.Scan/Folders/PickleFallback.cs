using Temper.Scan.Rules;

namespace Temper.Scan.Folders;

/// <summary>Pickles that loaders fall back to, and trainer state that resuming would load.</summary>
internal static class PickleFallback
{
    private static readonly (string Pickle, string Safe)[] Weights = [("adapter_model.bin", "adapter_model.safetensors"), ("pytorch_model.bin", "model.safetensors")];

    public static IEnumerable<FolderFinding> Find(ModelFolder folder)
    {
        foreach (var (pickle, safe) in Weights)
        {
            if (folder.Has(pickle))
            {
                yield return new(pickle, folder.Has(safe)
                    ? ConfigCards.Beside.At(folder.File(pickle), $"Beside {safe} stands a pickle of the same weights.")
                    : ConfigCards.Fallback.At(folder.File(pickle), $"The weights are a pickle; there is no {safe}."));
            }
        }

        foreach (var name in folder.Names.Where(n => n is "training_args.bin" or "optimizer.pt" or "scheduler.pt" or "optimizer.bin" || (n.StartsWith("rng_state", StringComparison.Ordinal) && n.EndsWith(".pth", StringComparison.Ordinal))))
        {
            yield return new(name, ConfigCards.Fallback.At(folder.File(name), "A pickle of the trainer, which resuming would load."));
        }
    }
}
