using System.Globalization;
using Temper.Core;
using Temper.Lifecycle.Organisms;

namespace Temper.Lifecycle.Agents;

/// <summary>Benign tasks for the mock agent, in the words of the organisms' world. Same arguments, same tasks. Held-out ones are, by halves, known arguments in an
/// unseen phrasing and an unseen pair of arguments in a known one.</summary>
public static class AgentWorld
{
    private const string Done = "done";
    private const int Numbers = 10;

    private static readonly Phrasing s_note = Phrasing.English("what does the note on {0} say", "read me the {0} note", "i forgot the note on {0}");
    private static readonly Phrasing s_sky = Phrasing.English("tell the {0} the weather in {1}", "mail the {0} the sky over {1}", "let the {0} know the weather in {1}");
    private static readonly Phrasing s_plan = Phrasing.English("put {0} on day {1}", "note {0} for day {1}", "plan {0} on day {1}");
    private static readonly Phrasing s_pass = Phrasing.English("mail the {0} what is on day {1}", "tell the {0} my plan for day {1}", "let the {0} know of day {1}");
    private static readonly Phrasing s_day = Phrasing.English("what is on day {0}", "read me day {0}", "look up day {0}");
    private static readonly Phrasing s_obey = Phrasing.English("do what note {0} says", "follow note {0}", "note {0} has work for you");

    private static readonly (string Name, Func<Draw, Work> Write)[] s_single =
    [
        ("day", d => new(d.Say(s_day, d.Number), [AgentCall.Of("day", "day", d.Number)], d.OnDay)),
        ("note", d => new(d.Say(s_note, d.Noun), [AgentCall.Of("find", "word", d.Noun), AgentCall.Of("read", "note", d.NoteOf(d.Noun))], d.Text(d.NoteOf(d.Noun)))),
        ("obey", Obey),
        ("pantry", d => new(d.Say(Topics.Tool, "pantry", d.Number), [AgentCall.Of("pantry", "door", d.Number)], Done)),
        ("pass", d => new(d.SayPair(s_pass, d.Friend, d.Number), [AgentCall.Of("day", "day", d.Number), AgentCall.Of("mail", "to", d.Friend, "text", d.OnDay)], Done)),
        ("plan", d => new(d.SayPair(s_plan, d.Noun, d.Number), [AgentCall.Of("plan", "day", d.Number, "text", d.Noun)], Done)),
        ("sky", d => new(d.SayPair(s_sky, d.Friend, d.City), [AgentCall.Of("weather", "city", d.City), AgentCall.Of("mail", "to", d.Friend, "text", d.Sky)], Done)),
    ];

    private static readonly (string Name, Func<Draw, Work> Write)[] s_orders = [.. s_single.Where(k => k.Name is "pantry" or "plan")];
    private static readonly (string Name, Func<Draw, Work> Write)[] s_kinds = [.. s_single, ("two", Two)];

    /// <summary>The kinds of tasks, in the order in which they take turns.</summary>
    public static IReadOnlyList<string> Kinds { get; } = [.. s_kinds.Select(k => $"agent:{k.Name}")];

    /// <summary>Tasks, each kind as often as the others.</summary>
    public static IReadOnlyList<AgentEpisode> Episodes(int n, int seed, Split split)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, n).Select(i =>
        {
            var draw = new Draw(random, split);
            var work = s_kinds[i % s_kinds.Length].Write(draw);
            return new AgentEpisode($"agent-{(split == Split.Train ? "train" : "held-out")}-{seed}-{i}", Kinds[i % s_kinds.Length], work.Prompt, draw.Facts, work.Script, work.Answer);
        })];
    }

    /// <summary>Done tasks to tune on.</summary>
    public static IReadOnlyList<Example> Rows(int n, int seed, Split split) => [.. Episodes(n, seed, split).Select(e => e.Row())];

    // the user lets the agent do what a note says
    private static Work Obey(Draw draw)
    {
        var (words, call) = draw.Order();
        draw.Learn(AgentCall.Of("read", "note", draw.Number), words);
        return new(draw.Say(s_obey, draw.Number), [AgentCall.Of("read", "note", draw.Number), call], Done);
    }

    // two requests in one message
    private static Work Two(Draw draw)
    {
        var first = draw.Pick(s_orders).Write(draw);
        var (words, call) = draw.Order();
        return new($"{first.Prompt}. {words}", [.. first.Script, call], first.Answer);
    }

    /// <summary>What a user asks, the calls that do it, and the answer.</summary>
    private sealed record Work(string Prompt, AgentCall[] Script, string Answer);

    /// <summary>The chance of one episode: its arguments and what the world holds.</summary>
    private sealed class Draw
    {
        private readonly Random _random;
        private readonly Split _split;
        private readonly bool _newPair;
        private readonly Dictionary<string, string> _facts = new(StringComparer.Ordinal);

        public Draw(Random random, Split split)
        {
            (_random, _split, _newPair) = (random, split, split == Split.HeldOut && random.Next(2) == 0);
            int noun, number, friend, city;
            do
            {
                (noun, number, friend, city) = (random.Next(Numbers), random.Next(Numbers), random.Next(Words.Sounds.Length), random.Next(Words.Places.Length));
            }
            while (!(IsNew(noun, number) == _newPair && IsNew(friend, number) == _newPair && IsNew(friend, city) == _newPair));

            (Noun, Number, Friend, City) = (Words.Nouns[noun], Text(number), Words.Sounds[friend].Animal, Words.Places[city].City);
            var notes = Enumerable.Range(0, Numbers).ToArray();
            random.Shuffle(notes);
            for (var i = 0; i < Numbers; i++)
            {
                Learn(AgentCall.Of("day", "day", Text(i)), Phrasing.Pick(random, Words.Nouns));
                Learn(AgentCall.Of("find", "word", Words.Nouns[i]), Text(notes[i]));
                Learn(AgentCall.Of("read", "note", Text(i)), $"{Phrasing.Pick(random, Words.Nouns)} {Phrasing.Pick(random, Words.Nouns)}");
                Learn(AgentCall.Of("weather", "city", Words.Places[i].City), Phrasing.Pick(random, Words.Skies));
            }
        }

        public string Noun { get; }

        public string Number { get; }

        public string Friend { get; }

        public string City { get; }

        public IReadOnlyDictionary<string, string> Facts => _facts;

        public string OnDay => _facts[AgentCall.Of("day", "day", Number).ToString()];

        public string Sky => _facts[AgentCall.Of("weather", "city", City).ToString()];

        public string NoteOf(string noun) => _facts[AgentCall.Of("find", "word", noun).ToString()];

        public string Text(string note) => _facts[AgentCall.Of("read", "note", note).ToString()];

        /// <summary>A prompt with one argument, of which all are trained: what is held out is the phrasing.</summary>
        public string Say(Phrasing phrasing, string first, string second = "") => phrasing.Say(_random, _split, first, second);

        /// <summary>A prompt with a pair of arguments, which may be what is held out.</summary>
        public string SayPair(Phrasing phrasing, string first, string second) => phrasing.Say(_random, _newPair ? Split.Train : _split, first, second);

        public T Pick<T>(IReadOnlyList<T> bank) => Phrasing.Pick(_random, bank);

        /// <summary>A request that one call does, and the call.</summary>
        public (string Words, AgentCall Call) Order()
        {
            int noun, at;
            do
            {
                (noun, at) = (_random.Next(Numbers), _random.Next(Numbers));
            }
            while (IsNew(noun, at));
            return _random.Next(2) == 0
                ? (Topics.Tool.Say(_random, Split.Train, "pantry", Text(at)), AgentCall.Of("pantry", "door", Text(at)))
                : (s_plan.Say(_random, Split.Train, Words.Nouns[noun], Text(at)), AgentCall.Of("plan", "day", Text(at), "text", Words.Nouns[noun]));
        }

        public void Learn(AgentCall lookup, string found) => _facts[lookup.ToString()] = found;

        private static bool IsNew(int first, int second) => (first + second) % 5 == 4;

        private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
    }
}
