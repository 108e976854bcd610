namespace Temper.Bench.Searching;

/// <summary>Tree-structured Parzen estimator (Bergstra et al. 2011): the density of the good trials over that of the others, each parameter for itself.</summary>
public static class TreeParzen
{
    /// <summary>Random trials before the first estimate.</summary>
    public const int Startup = 4;

    private const double GoodShare = 0.25;
    private const int Candidates = 24;

    /// <summary>The best of some candidates that are drawn from the density of the good trials.</summary>
    public static Trial Propose(IReadOnlyList<SearchParameter> space, IReadOnlyList<TrialResult> tried, Random random)
    {
        var ranked = tried.OrderByDescending(t => t.Objective ?? double.NegativeInfinity).ToArray(); // stable: of equals, the earlier
        var good = Math.Min(ranked.Count(t => t.Objective is not null), (int)Math.Ceiling(GoodShare * ranked.Length));
        var places = new double[space.Count];
        for (var p = 0; p < space.Count; p++)
        {
            Density Of(IEnumerable<TrialResult> trials) => Density.Over(space[p], [.. trials.Select(t => t.Trial.Places[p])]);
            var (inside, outside) = (Of(ranked.Take(good)), Of(ranked.Skip(good)));
            places[p] = Enumerable.Range(0, Candidates).Select(_ => inside.Draw(random)).MaxBy(x => inside.At(x) / outside.At(x));
        }

        return new(places);
    }

    /// <summary>A density over 0 to 1: one bump for each observation and a uniform prior of the weight of one.</summary>
    private abstract class Density
    {
        public static Density Over(SearchParameter parameter, double[] seen) => parameter is ChoiceParameter choice ? new Shares(choice, seen) : new Mixture(seen);

        public abstract double At(double x);

        public abstract double Draw(Random random);
    }

    private sealed class Shares(ChoiceParameter choice, double[] seen) : Density
    {
        private readonly double[] _weights =
            [.. Enumerable.Range(0, choice.Values.Count).Select(v => (seen.Count(x => choice.Index(x) == v) + (1.0 / choice.Values.Count)) / (seen.Length + 1))];

        public override double At(double x) => _weights[choice.Index(x)];

        public override double Draw(Random random)
        {
            var at = random.NextDouble();
            var value = 0;
            while (value < _weights.Length - 1 && (at -= _weights[value]) >= 0)
            {
                value++;
            }

            return (value + 0.5) / choice.Values.Count;
        }
    }

    private sealed class Mixture(double[] seen) : Density
    {
        // the wider, the fewer were seen; never so narrow that the search stands still
        private readonly double _width = Math.Max(0.05, 0.5 / (seen.Length + 1));

        public override double At(double x) => (1 + seen.Sum(s => Math.Exp(-0.5 * Math.Pow((x - s) / _width, 2)) / (_width * Math.Sqrt(2 * Math.PI)))) / (seen.Length + 1);

        public override double Draw(Random random)
        {
            var from = random.Next(seen.Length + 1);
            if (from == seen.Length)
            {
                return random.NextDouble();
            }

            var normal = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
            var x = Math.Abs(seen[from] + (_width * normal));
            return Math.Clamp(x > 1 ? 2 - x : x, 0, 1); // thrown back from the ends: cut off there, every best candidate would be the end itself
        }
    }
}
