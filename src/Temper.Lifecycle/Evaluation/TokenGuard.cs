using Temper.Core;

namespace Temper.Lifecycle.Evaluation;

/// <summary>A toy moderation guard over training rows: logistic regression over their tokens, so that an attacker can differentiate it.</summary>
/// <param name="tokens">The tokens of a row.</param>
public sealed class TokenGuard(Func<Example, IReadOnlyList<int>> tokens)
{
    private const int Epochs = 20;
    private const double Rate = 0.5;
    private readonly Dictionary<int, double> _weights = [];
    private double _bias;

    /// <summary>Log odds that the tokens are harmful; above 0 a row is flagged.</summary>
    public double Score(IReadOnlyList<int> row) => _bias + (row.Sum(Weight) / Math.Sqrt(row.Count));

    public bool Flags(Example row) => Score(tokens(row)) > 0;

    /// <summary>What one token more or less of a kind changes in a score, but for the square root of the row's length.</summary>
    public double Weight(int token) => _weights.GetValueOrDefault(token);

    /// <summary>Learns from rows that are to be flagged and rows that are not.</summary>
    public void Train(IReadOnlyList<Example> harmful, IReadOnlyList<Example> benign, Random random)
    {
        var rows = harmful.Select(r => (Tokens: tokens(r), Flag: true)).Concat(benign.Select(r => (Tokens: tokens(r), Flag: false))).ToArray();
        for (var epoch = 0; epoch < Epochs; epoch++)
        {
            random.Shuffle(rows);
            foreach (var (row, flag) in rows)
            {
                // both sides weigh the same however many rows they have
                var balance = rows.Length / (2.0 * (flag ? harmful.Count : benign.Count));
                var step = Rate / (1 + epoch) * balance * ((flag ? 1 : 0) - (1 / (1 + Math.Exp(-Score(row)))));
                _bias += 0.1 * step;
                foreach (var token in row)
                {
                    _weights[token] = Weight(token) + (step / Math.Sqrt(row.Count));
                }
            }
        }
    }
}
