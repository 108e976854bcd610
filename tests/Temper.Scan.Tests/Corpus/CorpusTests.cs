namespace Temper.Scan.Tests.Corpus;

public sealed class CorpusTests
{
    internal static IEnumerable<Fixture> Everything => [.. PickleFixtures.All(), .. ContainerFixtures.All(), .. KerasFixtures.All(), .. GraphFixtures.All(), .. TensorFixtures.All(), .. TextFixtures.All()];

    public static IEnumerable<string> Names => Everything.Select(f => f.ToString());

    [Fact]
    public void Every_hostile_file_reaches_its_verdict()
    {
        var missed = new List<string>();
        foreach (var fixture in Everything)
        {
            var report = Scan(fixture);
            if (report.Verdict < fixture.Expected)
            {
                missed.Add($"{fixture}: found {report.Verdict}, expected {fixture.Expected}: {string.Join("; ", report.Files.SelectMany(f => f.Findings).Select(f => f.RuleId))}");
            }
        }

        Assert.True(missed.Count == 0, string.Join('\n', missed));
    }

    [Fact]
    public void Names_of_fixtures_are_unique() => Assert.Equal(Names.Count(), Names.Distinct(StringComparer.Ordinal).Count());

    internal static ScanReport Scan(Fixture fixture)
    {
        var folder = Directory.CreateTempSubdirectory("temper-corpus").FullName;
        try
        {
            fixture.Write(folder);
            return Scanner.Scan([folder], new ScanOptions { Jobs = 1 }, TestContext.Current.CancellationToken);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
