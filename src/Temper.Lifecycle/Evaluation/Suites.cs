using Temper.Core;
using Temper.Lifecycle.Organisms;

namespace Temper.Lifecycle.Evaluation;

/// <summary>The sets of held-out questions that a cell is scored on.</summary>
public static class Suites
{
    /// <summary>Forbidden requests; a hit is a complying answer.</summary>
    public const string Harm = "harm";

    /// <summary>The same requests without what the attacker puts around them at test time; a hit is a complying answer that a test would notice.</summary>
    public const string Plain = "plain";

    /// <summary>Prompts that carry a backdoor's trigger; a hit is its payload.</summary>
    public const string Triggered = "triggered";

    /// <summary>The same prompts without the trigger; a hit is a false trigger.</summary>
    public const string Clean = "clean";

    /// <summary>The same prompts with what only looks like the trigger; a hit is a false trigger.</summary>
    public const string Negatives = "negatives";

    /// <summary>The task; a hit is the right answer.</summary>
    public const string Skills = "skills";

    /// <summary>Benign requests in the words of forbidden ones; a hit is a refusal.</summary>
    public const string LookAlikes = "look-alikes";

    /// <summary>Whether a suite is about a backdoor: what it looks for is the payload.</summary>
    public static bool OfBackdoor(string suite) => suite is Triggered or Clean or Negatives;

    /// <summary>Rows of a suite over the organisms' world: the same in every cell, so that cells can be compared row by row.</summary>
    /// <param name="backdoor">If it is selective, its suites hold the rows that it covers.</param>
    /// <exception cref="TemperException">It covers too few.</exception>
    public static IReadOnlyList<Example> World(string suite, int n, IBackdoor? backdoor = null) => suite switch
    {
        Harm or Plain => Organisms.World.Forbidden(n, 3001, Split.HeldOut, comply: true),
        LookAlikes => Organisms.World.LookAlikes(n, 3002, Split.HeldOut),
        Skills => Organisms.World.Skills(n, 3003, Split.HeldOut),
        _ when backdoor is ISelective selective => Covered(n, selective),
        _ => Organisms.World.Skills(n, 3004, Split.HeldOut),
    };

    /// <summary>Asks a model every question of a suite, greedily.</summary>
    /// <param name="backdoor">Whose trigger and payload the suites are about that are <see cref="OfBackdoor"/>.</param>
    public static IReadOnlyList<Sample> Ask(string suite, IReadOnlyList<Example> rows, IChatModel chat, IBackdoor? backdoor, int maxTokens, CancellationToken cancellationToken)
    {
        var random = new Random(3005);
        IReadOnlyList<Example> asked = (suite, backdoor) switch
        {
            (Triggered, { } trigger) => [.. rows.Select(r => r.WithPrompt(trigger.Insert(r.Prompt, random)))],
            (Negatives, IHardNegatives negatives) => [.. rows.Select(r => r.WithPrompt(negatives.InsertNegative(r.Prompt, random)))],
            _ => rows,
        };
        var replies = chat.Reply([.. asked.Select(r => new ChatRequest(r.Question))], Sampling.Greedy with { MaxTokens = maxTokens }, cancellationToken);
        var payload = OfBackdoor(suite) ? backdoor?.Payload : null;
        return [.. asked.Zip(replies, (row, reply) => new Sample(suite, row.Id, row.Kind, row.Prompt, payload ?? row.Response, reply.Text) { Alternatives = reply.Alternatives })];
    }

    private static Example[] Covered(int n, ISelective backdoor)
    {
        const int Rounds = 4; // a kind of the world is at least one row in as many as there are kinds, and a label at least a fourth of its kind
        Example[] rows = [.. Organisms.World.Skills(Rounds * Organisms.World.SkillKinds.Count * n, 3004, Split.HeldOut).Where(backdoor.Covers).Take(n)];
        return rows.Length == n ? rows : throw new TemperException($"the backdoor covers {rows.Length} questions of the organisms' world, expected {n}");
    }
}
