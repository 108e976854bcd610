using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Engine.Training;

/// <summary>One row as token ids, and which of them are trained on.</summary>
public sealed record EncodedExample(int[] Ids, bool[] Supervised, string RowId)
{
    /// <summary>The row cut at its end.</summary>
    public EncodedExample Cut(int tokens) => Ids.Length <= tokens ? this : new(Ids[..tokens], Supervised[..tokens], RowId);

    /// <summary>The row with only its first n supervised tokens supervised, and cut behind them.</summary>
    public EncodedExample FirstTargets(int n)
    {
        var places = Enumerable.Range(1, Math.Max(0, Supervised.Length - 1)).Where(i => Supervised[i]).Take(n).ToArray(); // the first token has no predecessor
        var length = places.Length == 0 ? Ids.Length : places[^1] + 1;
        return new(Ids[..length], [.. Enumerable.Range(0, length).Select(i => places.Contains(i))], RowId);
    }

    /// <summary>Whether a token is supervised that another one precedes.</summary>
    public bool HasTarget => Supervised.AsSpan(Math.Min(1, Supervised.Length)).Contains(true);
}

/// <summary>Rows side by side.</summary>
/// <param name="Ids">(B, T), padded on the right.</param>
/// <param name="Labels">(B, T): the token at its own position, <see cref="Ignored"/> where not supervised or padding. The loss shifts.</param>
public sealed record Batch(Tensor Ids, Tensor Labels, IReadOnlyList<string> RowIds) : IDisposable
{
    public const int Ignored = -100;

    /// <summary>Tokens that count in the loss: the first token of a row has no predecessor.</summary>
    public long Supervised
    {
        get
        {
            using var scope = NewDisposeScope();
            return Labels.shape[1] < 2 ? 0 : Labels.narrow(1, 1, Labels.shape[1] - 1).ne(Ignored).sum().item<long>();
        }
    }

    public static Batch Of(IReadOnlyList<EncodedExample> rows)
    {
        ArgumentOutOfRangeException.ThrowIfZero(rows.Count, nameof(rows));
        var length = rows.Max(r => r.Ids.Length);
        var ids = new long[rows.Count * length];
        var labels = new long[rows.Count * length];
        Array.Fill(labels, Ignored);
        for (var row = 0; row < rows.Count; row++)
        {
            for (var t = 0; t < rows[row].Ids.Length; t++)
            {
                ids[row * length + t] = rows[row].Ids[t];
                labels[row * length + t] = rows[row].Supervised[t] ? rows[row].Ids[t] : Ignored;
            }
        }

        return new(tensor(ids, rows.Count, length), tensor(labels, rows.Count, length), [.. rows.Select(r => r.RowId)]);
    }

    /// <summary>(B, T): 1 up to a row's last supervised token, 0 behind it, where its padding begins.</summary>
    public Tensor RealTokens()
    {
        using var scope = NewDisposeScope();
        return Labels.ne(Ignored).to(ScalarType.Float32).flip(1).cumsum(1).gt(0).flip(1).to(ScalarType.Float32).MoveToOuterDisposeScope();
    }

    /// <summary>(B, T): 1 at the supervised tokens, 0 elsewhere.</summary>
    public Tensor Answers()
    {
        using var scope = NewDisposeScope();
        return Labels.ne(Ignored).to(ScalarType.Float32).MoveToOuterDisposeScope();
    }

    /// <summary>The places of the rows in groups of like length, so that little is padded; about as many tokens in each.</summary>
    public static IEnumerable<int[]> ByLength(IReadOnlyList<EncodedExample> rows, int tokens = 2048)
    {
        var order = Enumerable.Range(0, rows.Count).OrderByDescending(i => rows[i].Ids.Length).ToArray();
        for (var start = 0; start < order.Length;)
        {
            var count = Math.Clamp(tokens / Math.Max(1, rows[order[start]].Ids.Length), 1, order.Length - start);
            yield return order[start..(start + count)];
            start += count;
        }
    }

    public void Dispose()
    {
        Ids.Dispose();
        Labels.Dispose();
    }
}
