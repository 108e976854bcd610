using System.Globalization;

namespace Temper.Engine.Models;

/// <summary>What the names of parameters say.</summary>
public static class LayerNames
{
    /// <summary>The block that a parameter or linear layer belongs to, from 0; null for embeddings, head and final norm.</summary>
    public static int? BlockOf(string name)
    {
        foreach (var part in name.Split('.'))
        {
            if (int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var block))
            {
                return block;
            }
        }

        return null;
    }
}
