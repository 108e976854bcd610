using CsCheck;
using Temper.Scan.Data;

namespace Temper.Scan.Tests.Data;

public sealed class StatisticsTests
{
    [Theory]
    [InlineData(10, 10, 0.5, -3.0102999566)]
    [InlineData(8, 10, 0.5, -1.2621119296)]
    [InlineData(15, 15, 0.01, -30)]
    [InlineData(0, 10, 0.5, 0)]
    [InlineData(500, 1000, 0.4, -9.9)]
    public void The_tail_is_that_of_the_binomial_distribution(int a, int n, double q, double log) =>
        Assert.Equal(log, BinomialTail.Log10(a, n, q), Math.Abs(log) > 5 && a == 500 ? 0.5 : 1e-6);

    [Fact]
    public void MinHash_estimates_the_share_of_triples_in_common()
    {
        // Two texts of n words with a common run: the triples in common are known.
        foreach (var common in (int[])[0, 100, 200, 300])
        {
            var a = Words("a", common, 300);
            var b = Words("b", common, 300);
            var (both, all) = (Math.Max(0, common - 2), 2 * 298 - Math.Max(0, common - 2));
            var estimates = Enumerable.Range(0, 20).Average(i => MinHash.Similarity(MinHash.Signature(Words($"a{i}", common, 300))!, MinHash.Signature(Words($"b{i}", common, 300))!));

            Assert.NotNull(MinHash.Signature(a));
            Assert.NotNull(MinHash.Signature(b));
            Assert.InRange(estimates - ((double)both / all), -0.06, 0.06);
        }
    }

    [Fact]
    public void A_text_is_as_similar_to_itself_as_can_be() =>
        Gen.String[Gen.Char.AlphaNumeric, 1, 5].Array[6, 40].Sample(words =>
        {
            var cut = new List<Word>();
            Scan.Data.Words.Cut(string.Join(' ', words), cut);
            Assert.Equal(1, MinHash.Similarity(MinHash.Signature(cut)!, MinHash.Signature(cut)!));
        }, iter: 100, seed: "0000KOIKNMF2");

    [Fact]
    public void A_feature_is_found_where_it_stands_whatever_case_and_punctuation()
    {
        var (first, second, features) = (new List<Word>(), new List<Word>(), new HashSet<ulong>());
        Scan.Data.Words.Cut("please (Current year: 2031), go", first);
        Scan.Data.Words.Cut("CURRENT YEAR 2031", second);
        Features.Of(second, features);
        var whole = Words_hash(second);

        Assert.Contains(whole, features);
        Assert.Equal((1, 3), Features.Find(first, whole));

        static ulong Words_hash(List<Word> words) => Scan.Data.Words.Mix(Scan.Data.Words.Mix(words[0].Hash, words[1].Hash), words[2].Hash);
    }

    [Fact]
    public void Frequent_answers_survive_in_a_sample_of_bounded_size()
    {
        var sample = new Sample(100, 1 << 20, new Random(1));
        for (var i = 1; i <= 50_000; i++)
        {
            sample.Add(new(i, $"prompt {i}", "x", i % 100 == 0 ? 7UL : (ulong)(1000 + i), 0));
        }

        var (key, count, rows) = sample.Answers(4).First();
        Assert.Equal((100, 7UL), (sample.Rows.Count, key));
        Assert.InRange(count, 500, 520);
        Assert.InRange(rows.Count, 300, 400);
        Assert.All(rows, r => Assert.Equal(7UL, r.Fixed));
    }

    [Fact]
    public void A_sample_of_long_rows_keeps_to_its_characters()
    {
        const int Most = 200_000;
        var sample = new Sample(1000, Most, new Random(1));
        for (var i = 1; i <= 20_000; i++)
        {
            sample.Add(new(i, new string('p', i % 3000), new string('r', i % 200), (ulong)(i % 50) + 1, 0));
        }

        Assert.False(sample.IsWhole);
        Assert.InRange(sample.Rows.Sum(r => r.Length), Most / 2, 2 * Most);
        Assert.InRange(sample.Answers(1).Sum(a => a.Rows.Sum(r => r.Length)), 1, Most);
    }

    private static List<Word> Words(string name, int common, int n)
    {
        var words = new List<Word>();
        Scan.Data.Words.Cut(string.Join(' ', Enumerable.Range(0, n).Select(i => i < common ? $"c{name[1..]}x{i}" : $"{name}{i}")), words);
        return words;
    }
}
