using Temper.Scan.Adapters;
using Temper.Scan.Reports;
using Temper.Scan.Tests.Corpus;

namespace Temper.Scan.Tests.Adapters;

public sealed class AdapterCohortTests
{
    private const int Layers = 12;

    [Fact]
    public void Dispersion_does_not_depend_on_the_adapters_scale_and_grows_with_one_strong_module()
    {
        var plain = Adapter(new Random(1));
        var scaled = plain with { Modules = [.. plain.Modules.Select(m => m with { Spectrum = m.Spectrum with { Frobenius = 7 * m.Spectrum.Frobenius } })] };

        Assert.Equal(plain.Dispersion, scaled.Dispersion, 1e-9);
        Assert.True(Adapter(new Random(1), planted: 10).Dispersion > 2 * plain.Dispersion);
    }

    [Fact]
    public void A_module_is_known_by_its_layer_and_its_kind()
    {
        var module = new ModuleSpectrum("model.layers.31.self_attn.q_proj", 4, 4, 1, new(0, 0, 0, 0, 0));
        var lone = module with { Module = "lm_head" };

        Assert.Equal((31, "self_attn.q_proj"), (module.Layer, module.Kind));
        Assert.Equal((0, "lm_head"), (lone.Layer, lone.Kind));
    }

    [Fact]
    public void A_planted_direction_is_an_outlier_and_the_number_of_members_is_stated()
    {
        var score = Cohort(20, new(2)).Score(Adapter(new Random(3), planted: 6));

        Assert.True(score.Outlier);
        Assert.Equal(1 / 21.0, score.P!.Value, 1e-9);
        Assert.StartsWith("Among n = 20 known good adapters", score.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void At_most_one_in_twenty_good_adapters_is_called_an_outlier()
    {
        var random = new Random(4);
        var alarms = Enumerable.Range(0, 200).Count(_ => Cohort(19, random).Score(Adapter(random)).Outlier == true);

        Assert.InRange(alarms, 0, 18); // 0.05 of 200 and 2.6 standard deviations
    }

    [Fact]
    public void A_member_is_not_compared_with_itself() => Assert.Equal(19, Cohort(20, new(5)).Score(Adapter(new(5))).N);

    [Fact]
    public void Too_few_members_give_z_scores_without_a_verdict_and_strangers_no_score()
    {
        var few = Cohort(6, new(6)).Score(Adapter(new Random(7), planted: 6));
        var strange = Cohort(20, new(6)).Score(Adapter(new Random(7)) with { Base = "another" });

        Assert.Null(few.Outlier);
        Assert.Equal(6, few.Deviations.Count);
        Assert.Equal((0, 20, null), (strange.N, strange.Of, strange.Score));
        Assert.StartsWith("Not scored: 0 of the cohort's 20 adapters", strange.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_report_on_known_good_adapters_is_a_cohort()
    {
        var members = Enumerable.Range(0, 20).Select(i => Adapter(new(i))).ToArray();
        var path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, JsonReport.Write(new([]) { Adapters = members }));
            var candidate = Adapter(new Random(99), planted: 2);

            Assert.Equal(new AdapterCohort(members).Score(candidate).Score, AdapterCohort.Read(path, TestContext.Current.CancellationToken).Score(candidate).Score);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void A_folder_of_adapters_is_a_cohort_and_an_outlier_is_suspicious()
    {
        var root = Directory.CreateTempSubdirectory("temper-cohort").FullName;
        try
        {
            for (var i = 0; i < 20; i++)
            {
                Write(Path.Combine(root, "good", $"{i}"), 1 + (0.01f * i));
            }

            Write(Path.Combine(root, "bad"), 40);
            var cohort = AdapterCohort.Read(Path.Combine(root, "good"), TestContext.Current.CancellationToken);
            var report = Scanner.Scan([Path.Combine(root, "bad")], new ScanOptions { Cohort = cohort }, TestContext.Current.CancellationToken);

            Assert.Contains("adapter.outlier", report.Files.SelectMany(f => f.Findings).Select(f => f.RuleId));
            Assert.Equal((20, true), (report.Adapters[0].Cohort!.N, report.Adapters[0].Cohort!.Outlier!.Value));
            Assert.Equal(Verdict.Suspicious, report.Verdict);
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    // Two modules of rank one, the second of which is larger by a factor.
    private static void Write(string folder, float factor)
    {
        const string header = """{"m.0.q.lora_A.weight":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},"m.0.q.lora_B.weight":{"dtype":"F32","shape":[2,1],"data_offsets":[8,16]},"m.1.q.lora_A.weight":{"dtype":"F32","shape":[1,2],"data_offsets":[16,24]},"m.1.q.lora_B.weight":{"dtype":"F32","shape":[2,1],"data_offsets":[24,32]}}""";
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "adapter_config.json"), """{"peft_type":"LORA","r":1,"lora_alpha":1,"target_modules":["q"],"base_model_name_or_path":"a/b","revision":"c"}""");
        File.WriteAllBytes(Path.Combine(folder, "adapter_model.safetensors"), Build.SafeTensors(header, [.. ((float[])[1, 2, 1, 1, 1, 2, factor, 1]).SelectMany(BitConverter.GetBytes)]));
    }

    internal static AdapterSpectrum Adapter(Random random, double planted = 0)
    {
        var modules = Enumerable.Range(0, Layers).SelectMany(layer => ((string[])["q_proj", "v_proj"]).Select(kind =>
        {
            var strong = layer == Layers - 2 ? 1 + planted : 1;
            var leading = strong * (1 + (0.2 * random.NextDouble()));
            return new ModuleSpectrum($"model.layers.{layer}.self_attn.{kind}", 64, 64, 8, new(leading, leading * (1.2 + (0.2 * random.NextDouble())), 0.5 + (0.1 * random.NextDouble()), 0.6, 3 + random.NextDouble()));
        }));
        return new("adapter_model.safetensors", "a/b", [.. modules], 0);
    }

    private static AdapterCohort Cohort(int n, Random random) => new([.. Enumerable.Range(0, n).Select(_ => Adapter(random))]);
}
