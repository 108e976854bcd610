namespace Temper.Engine.Training;

/// <summary>Random numbers from a given source, so that they are the same on every machine.</summary>
public static class Noise
{
    /// <summary>Standard normal numbers, by Box and Muller.</summary>
    public static float[] Normal(int count, Random random) =>
        [.. Enumerable.Range(0, count).Select(_ => (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble())))];
}
