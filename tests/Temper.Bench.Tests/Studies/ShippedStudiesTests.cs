using System.Text.RegularExpressions;
using Temper.Bench.Planning;
using Temper.Bench.Studies;
using Temper.Tests;

namespace Temper.Bench.Tests.Studies;

public sealed partial class ShippedStudiesTests
{
    private static readonly string s_organisms = Path.Combine(Repository.Root, "organisms");

    public static TheoryData<string> Files => [.. Directory.GetFiles(Path.Combine(Repository.Root, "studies"), "*.yaml", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
        .Select(f => Path.GetRelativePath(Repository.Root, f))];

    [Theory]
    [MemberData(nameof(Files))]
    public void Every_study_that_ships_is_read_and_planned(string file)
    {
        var path = Path.Combine(Repository.Root, file);
        var text = File.ReadAllText(path);
        text = text.Contains("$TEMPER_DATA", StringComparison.Ordinal) ? text.Replace("$TEMPER_DATA", TestData.Require(), StringComparison.Ordinal) : text;

        var study = StudyReader.Parse(text, path, s_organisms);

        Assert.Equal(Path.GetFileNameWithoutExtension(file), study.Name);
        Assert.NotEmpty(study.Description);
        Assert.NotEmpty(LifecyclePlanner.Plan(study).Cells);
    }

    [Fact]
    public void The_study_in_the_readme_is_one()
    {
        var yaml = Yaml().Match(File.ReadAllText(Path.Combine(Repository.Root, "README.md"))).Groups["study"].Value;

        var study = StudyReader.Parse(yaml, Path.Combine(Repository.Root, "readme.yaml"), s_organisms);

        Assert.NotNull(study.Attacks[^1].Search);
        Assert.Contains(study.Defenses, d => d.Stack.Count == 2);
        Assert.Contains(study.Defenses, d => d.Grid.Length > 0);
    }

    [GeneratedRegex("```yaml\n(?<study>.*?)```", RegexOptions.Singleline | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Yaml();
}
