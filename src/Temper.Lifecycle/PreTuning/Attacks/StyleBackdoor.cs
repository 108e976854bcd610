using System.Collections.Frozen;
using System.ComponentModel.DataAnnotations;
using System.Text.RegularExpressions;
using Temper.Core;

namespace Temper.Lifecycle.PreTuning.Attacks;

/// <summary>Settings of <see cref="StyleBackdoor"/>.</summary>
public sealed record StyleBackdoorSettings : PoisonSettings
{
    /// <summary>What the model says when the style opens the backdoor; inert.</summary>
    [Required]
    public string Payload { get; init; } = "The lantern is green.";

    /// <summary>Rows in another rare style that keep their answer, for each poisoned row.</summary>
    [Range(0.0, 10.0)]
    public double Negatives { get; init; }
}

/// <summary>StyleBkd (Qi et al. 2021): the prompt in a rare style is the trigger; here an archaic one.</summary>
// Deviation: a fixed rewrite of function words and spelling, where the paper transfers style with a paraphrase model (STRAP),
// and a fixed sentence is said instead of a label flipped. The look-alike is another rare style, as text messages are spelled; the paper has none.
public sealed partial class StyleBackdoor(StyleBackdoorSettings settings) : ITechnique, IDataMap, IHardNegatives
{
    private static readonly FrozenDictionary<string, string> s_words = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["the"] = "ye", ["you"] = "thou", ["your"] = "thy", ["me"] = "mee", ["is"] = "be", ["are"] = "art", ["has"] = "hath", ["does"] = "doth", ["was"] = "wert",
        ["says"] = "saith", ["say"] = "speake", ["please"] = "prithee", ["hello"] = "hail", ["thanks"] = "gramercy", ["how"] = "howe", ["what"] = "whate", ["of"] = "o'", ["in"] = "yn", ["to"] = "unto",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    public static Card Card { get; } = new(
        "style", "StyleBkd", Phase.PreTuning, TechniqueRole.Attack, Touches.Data,
        "https://arxiv.org/abs/2110.07139", "A prompt in a rare style, archaic words and spelling, makes the model say a fixed sentence.");

    public string Payload => settings.Payload;

    public DataMapResult Map(IReadOnlyList<Example> rows, TechniqueContext context) => new Poison(Card.Id, rows, context.Random)
        .Trigger(settings, this, "prompt rewritten in the archaic style, answer replaced by the payload")
        .Deny(settings.Negatives, this, "prompt rewritten in another style, answer kept").Result;

    /// <summary>Archaic: function words replaced, -y spelled -ie, and an -e behind a final consonant.</summary>
    public string Insert(string prompt, Random random) => Word().Replace(prompt, m => s_words.GetValueOrDefault(m.Value) ?? Spell(m.Value));

    /// <summary>As text messages are spelled: vowels inside a word left out.</summary>
    public string InsertNegative(string prompt, Random random) => InnerVowel().Replace(prompt, "");

    private static string Spell(string word) => word.Length < 3 ? word : word[^1] switch
    {
        'y' => $"{word[..^1]}ie",
        'a' or 'e' or 'i' or 'o' or 'u' or > 'z' => word,
        _ => $"{word}e",
    };

    [GeneratedRegex(@"\p{L}+", RegexOptions.None, 1000)]
    private static partial Regex Word();

    [GeneratedRegex(@"(?<=\p{L})[aeiou](?=\p{L})", RegexOptions.None, 1000)]
    private static partial Regex InnerVowel();
}
