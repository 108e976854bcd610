using NJsonSchema;
using Temper.Scan.Reports;
using Temper.Scan.Tests.Corpus;

namespace Temper.Scan.Tests.Reports;

public sealed class SchemaTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("temper-schema").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Sarif_of_every_hostile_file_is_valid()
    {
        var schema = await Schema("sarif-2.1.0-rtm.5.json");
        var files = CorpusTests.Everything.SelectMany(f => CorpusTests.Scan(f).Files).ToArray();

        Assert.Equal([], Faults(schema, SarifReport.Write(new(files), _folder)));
        Assert.Equal([], Faults(schema, SarifReport.Write(new([]), _folder)));
    }

    [Fact]
    public async Task A_bill_of_materials_of_hostile_names_and_values_is_valid()
    {
        File.WriteAllText(Path.Combine(_folder, "config.json"), """{"model_type":"lla\u0007ma","architectures":["A B"]}""");
        File.WriteAllText(Path.Combine(_folder, "adapter_config.json"), """{"peft_type":"LORA","base_model_name_or_path":"a\u202e/b","task_type":""}""");
        File.WriteAllBytes(Path.Combine(_folder, "a\u0001 <b> ä.pkl"), Build.Evil);
        var schema = await Schema("bom-1.6.SNAPSHOT.schema.json");

        Assert.Equal([], Faults(schema, CycloneDxReport.Write(Scanner.Scan([_folder], new ScanOptions(), TestContext.Current.CancellationToken), _folder, TestContext.Current.CancellationToken)));
    }

    [Fact]
    public async Task The_schemas_refuse_what_is_not_theirs()
    {
        Assert.NotEqual([], Faults(await Schema("sarif-2.1.0-rtm.5.json"), """{"version":"2.1.0","runs":[{"tool":{"driver":{}},"results":[{"level":"bad"}]}]}"""));
        Assert.NotEqual([], Faults(await Schema("bom-1.6.SNAPSHOT.schema.json"), """{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{"type":"model"}]}"""));
    }

    private static Task<JsonSchema> Schema(string name) =>
        JsonSchema.FromFileAsync(Path.Combine(ScorecardTests.Root(), "tests", "Temper.Scan.Tests", "Schemas", name), TestContext.Current.CancellationToken);

    private static IEnumerable<string> Faults(JsonSchema schema, string json) => schema.Validate(json).Select(e => $"{e.Path}: {e.Kind}");
}
