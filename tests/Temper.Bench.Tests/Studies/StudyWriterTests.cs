using Temper.Bench.Planning;
using Temper.Bench.Studies;

namespace Temper.Bench.Tests.Studies;

public sealed class StudyWriterTests : IDisposable
{
    private readonly ToyStudy _toy = new();

    [Theory]
    [InlineData("prefill", "safe-instr")]
    [InlineData("{id: prefill, search: {words: [1, 2]}}", "[lisa, safe-lora, {id: safe-instr, settings: {ratio: 0.5}}]")]
    [InlineData("{id: harmful-tuning, name: adaptive, space: {learningRate: {low: 1e-5, high: 1.0, log: true}, steps: {low: 1, high: 9}, method: [full, lora]}, budget: {method: halving, trials: 4, fidelity: method}}", "{id: lisa, search: {rho: [0.1, 1]}}")]
    public void What_is_written_is_read_as_the_same_plan(string attack, string defense)
    {
        var study = _toy.Study(ToyStudy.Yaml.Replace("  - prefill", $"  - {attack}", StringComparison.Ordinal).Replace("[none, safe-instr]", $"[none, {defense}]", StringComparison.Ordinal)
            .Replace("name: toy\n", "name: toy\ndescription: \"a: b # c\"\n", StringComparison.Ordinal));
        var again = _toy.Study(StudyWriter.Write(study));

        Assert.Equal((study.Name, study.Description), (again.Name, again.Description));
        Assert.Equal(LifecyclePlanner.Plan(study).StudyId, LifecyclePlanner.Plan(again).StudyId);
        Assert.Equal(study.Attacks[2].Search?.Space.ToString(), again.Attacks[2].Search?.Space.ToString());
        Assert.Equal(study.Attacks[2].Search?.Budget, again.Attacks[2].Search?.Budget);
    }

    public void Dispose() => _toy.Dispose();
}
