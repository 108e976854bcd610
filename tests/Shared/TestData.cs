namespace Temper.Tests;

/// <summary>The folder of real data sets, weights and adapters that tests run against where it is present.</summary>
internal static class TestData
{
    /// <summary>The full path of an entry, or a skip with the reason where the data is absent.</summary>
    public static string Require(params string[] parts)
    {
        var root = Environment.GetEnvironmentVariable("TEMPER_DATA") ?? Find();
        var path = root is null ? null : Path.Combine([root, .. parts]);
        Assert.SkipUnless(path is not null && (File.Exists(path) || Directory.Exists(path)),
            $"needs {Path.Combine(parts)} of the test data: set TEMPER_DATA, or put it at ../shared/data");
        return path!;
    }

    private static string? Find() => Path.Combine(Repository.Root, "..", "shared", "data") is var data && Directory.Exists(data) ? data : null;
}
