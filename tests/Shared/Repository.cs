namespace Temper.Tests;

/// <summary>The checkout that the tests were built from.</summary>
internal static class Repository
{
    public static string Root { get; } = Find();

    private static string Find()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Temper.slnx")))
        {
            folder = folder.Parent ?? throw new DirectoryNotFoundException($"expected Temper.slnx above {AppContext.BaseDirectory}");
        }

        return folder.FullName;
    }
}
