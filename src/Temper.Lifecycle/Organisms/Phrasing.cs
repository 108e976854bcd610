using System.Text.RegularExpressions;

namespace Temper.Lifecycle.Organisms;

/// <summary>
/// Ways to say one thing: prefix x core x suffix. A fifth of the combinations is held out; each part still occurs in training,
/// because a word that was never trained has a random embedding and would measure nothing.
/// </summary>
internal sealed class Phrasing
{
    private readonly string[] _train;
    private readonly string[] _heldOut;

    public Phrasing(IReadOnlyList<string> prefixes, IReadOnlyList<string> cores, IReadOnlyList<string> suffixes)
    {
        var all = (from p in Enumerable.Range(0, prefixes.Count)
                   from c in Enumerable.Range(0, cores.Count)
                   from s in Enumerable.Range(0, suffixes.Count)
                   select (Text: prefixes[p] + cores[c] + suffixes[s], HeldOut: (p + c + (2 * s)) % 5 == 4)).ToLookup(x => x.HeldOut, x => x.Text);
        (_train, _heldOut) = ([.. all[false]], [.. all[true]]);
    }

    public static Phrasing English(params string[] cores) => new(["", "please ", "hello. ", "quick question. "], cores, ["", ". thanks", ". be brief"]);

    public static Phrasing French(params string[] cores) => new(["", "bonjour. ", "dis-moi, ", "alors, "], cores, ["", ". merci", ". sois bref"]);

    /// <summary>A phrasing of the split, with <c>{0}</c> and <c>{1}</c> filled in.</summary>
    public string Say(Random random, Split split, string first, string second = "") =>
        Pick(random, split == Split.Train ? _train : _heldOut).Replace("{0}", first, StringComparison.Ordinal).Replace("{1}", second, StringComparison.Ordinal);

    /// <summary>Every other phrasing, of either split, of a text that is in one of them; none if it is in none.</summary>
    public IEnumerable<string> Rewrite(string text)
    {
        string[] all = [.. _train, .. _heldOut];
        var match = all.Select(p => Regex.Match(text, $"^{Slot(Slot(Regex.Escape(p), 0), 1)}$", RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1))).FirstOrDefault(m => m.Success);
        return match is null ? [] : all
            .Select(p => p.Replace("{0}", match.Groups["slot0"].Value, StringComparison.Ordinal).Replace("{1}", match.Groups["slot1"].Value, StringComparison.Ordinal))
            .Where(p => p != text);

        static string Slot(string pattern, int slot) => pattern.Replace($"\\{{{slot}}}", $"(?<slot{slot}>[^\\s.,]+)", StringComparison.Ordinal);
    }

    public static T Pick<T>(Random random, IReadOnlyList<T> bank) => bank[random.Next(bank.Count)];
}
