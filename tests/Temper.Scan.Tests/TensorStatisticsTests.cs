using Temper.Formats.Bytes;
using Temper.Scan.Artifacts;
using Temper.Scan.Tests.Corpus;

namespace Temper.Scan.Tests;

public sealed class TensorStatisticsTests
{
    private readonly Random _random = new(11);

    [Fact]
    public void A_tensor_whose_norm_is_far_from_those_of_other_layers_is_named()
    {
        var layers = Enumerable.Range(0, 6).Select(i => ($"layers.{i}.w", Normal(64, i == 3 ? 100 : 1))).ToArray();

        var finding = Assert.Single(Scan(layers), f => f.RuleId == "weights.statistics");

        Assert.Equal((Severity.Info, "layers.3.w"), (finding.Severity, finding.Evidence));
        Assert.DoesNotContain(Scan([.. layers.Where(l => l.Item1 != "layers.3.w")]), f => f.RuleId == "weights.statistics");
    }

    [Fact]
    public void Numbers_of_two_origins_in_one_tensor_are_named()
    {
        // Widened from BF16, but for one part.
        var values = Normal(200_000, 1).Select((v, i) => i < 70_000 ? v : BitConverter.UInt32BitsToSingle(BitConverter.SingleToUInt32Bits(v) & 0xFFFF_0000)).ToArray();

        Assert.Contains(Scan([("w", values)]), f => f is { RuleId: "weights.statistics", Severity: Severity.Info } && f.Message.Contains("two kinds", StringComparison.Ordinal));
        Assert.DoesNotContain(Scan([("w", [.. values.Skip(131_072)])]), f => f.RuleId == "weights.statistics");
    }

    [Fact]
    public void Random_numbers_of_any_width_hide_nothing()
    {
        foreach (var bits in (uint[])[0xFFFF_FFFF, 0xFFFF_0000, 0xFFFF_E000])
        {
            Assert.DoesNotContain(Scan([("w", [.. Normal(300_000, 0.02f).Select(v => BitConverter.UInt32BitsToSingle(BitConverter.SingleToUInt32Bits(v) & bits))])]), f => f.RuleId == "weights.low-bits");
        }
    }

    private float[] Normal(int count, float scale) =>
        [.. Enumerable.Range(0, count).Select(_ => scale * (float)(Math.Sqrt(-2 * Math.Log(1 - _random.NextDouble())) * Math.Cos(2 * Math.PI * _random.NextDouble())))];

    private static IReadOnlyList<Finding> Scan((string Name, float[] Values)[] tensors)
    {
        var (header, at) = (new List<string>(), 0);
        foreach (var (name, values) in tensors)
        {
            header.Add($$"""{{(at == 0 ? "{" : ",")}}"{{name}}":{"dtype":"F32","shape":[{{values.Length}}],"data_offsets":[{{at}},{{at + (4 * values.Length)}}]}""");
            at += 4 * values.Length;
        }

        var bytes = Build.SafeTensors(string.Concat(header) + "}", [.. tensors.SelectMany(t => t.Values).SelectMany(BitConverter.GetBytes)]);
        var report = new ArtifactScan(new ScanOptions(), TestContext.Current.CancellationToken).Inner("m", ByteSource.Of(bytes), 0).Reports()[0];
        Assert.Equal("safetensors", report.Format);
        return report.Findings;
    }
}
