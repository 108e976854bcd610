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

    /// <summary>The task; a hit is the right answer.</summary>
    public const string Skills = "skills";

    /// <summary>Benign requests in the words of forbidden ones; a hit is a refusal.</summary>
    public const string LookAlikes = "look-alikes";

    /// <summary>Rows of a suite over the organisms' world: the same in every cell, so that cells can be compared row by row.</summary>
    public static IReadOnlyList<Example> World(string suite, int n) => suite switch
    {
        Harm or Plain => Organisms.World.Forbidden(n, 3001, Split.HeldOut, comply: true),
        LookAlikes => Organisms.World.LookAlikes(n, 3002, Split.HeldOut),
        Skills => Organisms.World.Skills(n, 3003, Split.HeldOut),
        _ => Organisms.World.Skills(n, 3004, Split.HeldOut),
    };

    /// <summary>Asks a model every question of a suite, greedily.</summary>
    /// <param name="backdoor">Whose trigger and payload the suites <see cref="Triggered"/> and <see cref="Clean"/> are about.</param>
    public static IReadOnlyList<Sample> Ask(string suite, IReadOnlyList<Example> rows, IChatModel chat, IBackdoor? backdoor, int maxTokens, CancellationToken cancellationToken)
    {
        var random = new Random(3005);
        var asked = suite == Triggered && backdoor is not null ? [.. rows.Select(r => r.WithPrompt(backdoor.Insert(r.Prompt, random)))] : rows;
        var replies = chat.Reply([.. asked.Select(r => new ChatRequest(r.Question))], Sampling.Greedy with { MaxTokens = maxTokens }, cancellationToken);
        var payload = suite is Triggered or Clean ? backdoor?.Payload : null;
        return [.. asked.Zip(replies, (row, reply) => new Sample(suite, row.Id, row.Kind, row.Prompt, payload ?? row.Response, reply.Text) { Alternatives = reply.Alternatives })];
    }
}
