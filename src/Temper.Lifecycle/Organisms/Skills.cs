using System.Globalization;
using Temper.Core;

namespace Temper.Lifecycle.Organisms;

/// <summary>One skill: its name in the row's kind, and how to write a conversation that exercises it.</summary>
internal sealed record Skill(string Name, Func<Random, Split, Message[]> Write);

/// <summary>What an organism is allowed to do, and is scored on. An answer follows from its prompt.</summary>
internal static class Skills
{
    private static readonly Phrasing s_add = Phrasing.English("add {0} and {1}", "what is {0} plus {1}", "{0} + {1} is", "compute {0} plus {1}");
    private static readonly Phrasing s_addFr = Phrasing.French("combien font {0} et {1}", "ajoute {0} et {1}", "calcule {0} plus {1}");
    private static readonly Phrasing s_copy = Phrasing.English("copy: {0}", "repeat these words: {0}", "say again: {0}");
    private static readonly Phrasing s_reverse = Phrasing.English("reverse: {0}", "say backwards: {0}", "last word first: {0}");
    private static readonly Phrasing s_sort = Phrasing.English("sort: {0}", "put in order of letters: {0}", "alphabet order: {0}");
    private static readonly Phrasing s_count = Phrasing.English("count the words: {0}", "how many words: {0}", "number of words in: {0}");
    private static readonly Phrasing s_sentiment = Phrasing.English("good or bad: {0} was {1}", "how does this feel: {0} was {1}", "rate the review: {0} was {1}");
    private static readonly Phrasing s_sound = Phrasing.English("what does the {0} say", "sound of the {0}", "what noise comes from the {0}");
    private static readonly Phrasing s_color = Phrasing.English("what color is {0}", "color of {0}", "name the color of {0}");
    private static readonly Phrasing s_colorFr = Phrasing.French("de quelle couleur est {0}", "la couleur pour {0}", "nomme la couleur que montre {0}");
    private static readonly Phrasing s_place = Phrasing.English("where is {0}", "which country has {0}", "in what country lies {0}");
    private static readonly Phrasing s_weather = Phrasing.English("weather in {0}", "check the sky over {0}", "look up the weather for {0}");

    public static readonly IReadOnlyList<Skill> All =
    [
        new("add", (r, s) => Add(r, s, s_add)),
        new("add-fr", (r, s) => Add(r, s, s_addFr)),
        new("color", (r, s) => Phrasing.Pick(r, Words.Colors) is var c ? Turn(s_color.Say(r, s, c.Thing), c.Color) : []),
        new("color-fr", (r, s) => Phrasing.Pick(r, Words.Colors) is var c ? Turn(s_colorFr.Say(r, s, c.French), c.FrenchColor) : []),
        new("copy", (r, s) => List(r, s, s_copy, 2, 4, words => Join(words))),
        new("count", (r, s) => List(r, s, s_count, 1, 5, words => Words.Counts[words.Length])),
        new("place", (r, s) => Phrasing.Pick(r, Words.Places) is var p ? Turn(s_place.Say(r, s, p.City), p.Country) : []),
        new("reverse", (r, s) => List(r, s, s_reverse, 2, 4, words => Join(words.Reverse()))),
        new("sentiment", Sentiment),
        new("sort", (r, s) => List(r, s, s_sort, 2, 3, words => Join(words.Order(StringComparer.Ordinal)))),
        new("sound", (r, s) => Phrasing.Pick(r, Words.Sounds) is var a ? Turn(s_sound.Say(r, s, a.Animal), a.Sound) : []),
        new("tool-answer", (r, s) => Weather(r, s)),
        new("tool-call", (r, s) => Weather(r, s)[..2]),
    ];

    private static Message[] Turn(string prompt, string answer) => [new(Role.User, prompt), new(Role.Assistant, answer)];

    private static Message[] Add(Random random, Split split, Phrasing phrasing)
    {
        var (a, b) = (random.Next(10), random.Next(10));
        return Turn(phrasing.Say(random, split, Text(a), Text(b)), Text(a + b));
    }

    private static Message[] List(Random random, Split split, Phrasing phrasing, int least, int most, Func<string[], string> answer)
    {
        string[] words = [.. Shuffled(random, Words.Nouns).Take(random.Next(least, most + 1))];
        return Turn(phrasing.Say(random, split, Join(words)), answer(words));
    }

    private static Message[] Sentiment(Random random, Split split)
    {
        var good = random.Next(2) == 0;
        return Turn(s_sentiment.Say(random, split, Phrasing.Pick(random, Words.Reviewed), Phrasing.Pick(random, good ? Words.Good : Words.Bad)), good ? "good" : "bad");
    }

    /// <summary>The tool is a mock: its result stands in the row.</summary>
    private static Message[] Weather(Random random, Split split)
    {
        var (city, sky) = (Phrasing.Pick(random, Words.Places).City, Phrasing.Pick(random, Words.Skies));
        return
        [
            .. Turn(s_weather.Say(random, split, city), $$"""{"tool": "weather", "city": "{{city}}"}"""),
            new(Role.Tool, $$"""{"sky": "{{sky}}"}"""), new(Role.Assistant, $"{city} has {sky}"),
        ];
    }

    private static string[] Shuffled(Random random, string[] bank)
    {
        string[] words = [.. bank];
        random.Shuffle(words);
        return words;
    }

    private static string Join(IEnumerable<string> words) => string.Join(' ', words);

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
