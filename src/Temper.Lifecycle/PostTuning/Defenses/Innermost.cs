using Temper.Core;
using Temper.Engine.Generation;

namespace Temper.Lifecycle.PostTuning.Defenses;

/// <summary>For layers that decode themselves.</summary>
internal static class Innermost
{
    /// <summary>The model itself.</summary>
    /// <exception cref="TemperException">There is a layer around it, which decoding anew would go around.</exception>
    public static LocalChatModel Local(this IChatModel inner, string technique) => inner as LocalChatModel
        ?? throw new TemperException($"{technique}: found a layer around the model, expected the model itself: list {technique} before the other layers");
}
