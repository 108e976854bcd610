namespace Temper.Cli.Tests.Commands;

public sealed class ScanCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("temper-scan").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_malicious_file_exits_1_and_the_page_says_so()
    {
        File.WriteAllText(Path.Combine(_folder, "bad.pkl"), "cos\nsystem\n(S'echo temper-inert'\ntR.");
        var outcome = CommandLine.Run(_folder, "scan", ".", "--format", "html", "--output", "scan.html");

        Assert.Equal((1, ""), (outcome.Code, outcome.Output));
        Assert.Contains("<title>malicious: . · Temper scan</title>", File.ReadAllText(Path.Combine(_folder, "scan.html")), StringComparison.Ordinal);
    }

    [Fact]
    public void A_cohort_that_is_not_there_exits_2_and_says_what_was_expected()
    {
        var outcome = CommandLine.Run(_folder, "scan", ".", "--cohort", "nowhere");

        Assert.Equal(2, outcome.Code);
        Assert.Equal("temper: --cohort nowhere: found neither folder nor file, expected a folder of known good adapters or a JSON report on it", outcome.Error.TrimEnd());
    }

    [Fact]
    public void In_a_pipe_there_are_no_escape_sequences()
    {
        File.WriteAllText(Path.Combine(_folder, "good.json"), "{}");
        var outcome = CommandLine.Run(_folder, "scan", ".");

        Assert.Equal((0, "CLEAN  1 file: 1 clean\n", ""), (outcome.Code, outcome.Output, outcome.Error));
    }
}
