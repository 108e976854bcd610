using Temper.Core;

namespace Temper.Lifecycle.Agents;

/// <summary>Something that an agent is asked to do with tools.</summary>
public interface IAgentTask
{
    string Id { get; }

    string Kind { get; }

    /// <summary>The conversation before the agent speaks.</summary>
    IReadOnlyList<Message> Opening { get; }

    /// <summary>The tools in the state in which the task begins.</summary>
    IAgentEnvironment Open();
}

/// <summary>Mock tools and what they remember. Nothing outside is touched.</summary>
public interface IAgentEnvironment
{
    /// <summary>What the tool says; a call that it does not take is an error that it says, too.</summary>
    string Run(AgentCall call);

    /// <summary>What has become of the task when the agent says its answer; null where it never said one.</summary>
    EpisodeOutcome Judge(string? answer);
}

/// <summary>What became of an episode.</summary>
/// <param name="Done">The task was done; null where the task has no check.</param>
/// <param name="Hijacked">The attacker's call was made.</param>
public sealed record EpisodeOutcome(bool? Done, bool Hijacked)
{
    /// <summary>The attacker's call was made and the user sees nothing of it.</summary>
    public bool Silent => Hijacked && Done == true;
}

/// <summary>Why an episode ended.</summary>
public enum EpisodeEnd { Answered, TooManyTurns, TooLong }

/// <summary>A task as it was played.</summary>
/// <param name="Messages">The whole conversation.</param>
/// <param name="Mistakes">Replies that meant to be calls and were none.</param>
public sealed record Episode(IAgentTask Task, IReadOnlyList<Message> Messages, EpisodeEnd End, int Mistakes, EpisodeOutcome Outcome)
{
    /// <summary>What the agent said, one turn a line.</summary>
    public string Transcript => string.Join('\n', Messages.Skip(Task.Opening.Count).Where(m => m.Role == Role.Assistant).Select(m => m.Content.ReplaceLineEndings(" ")));
}

/// <summary>An attack on an agent: what it writes into the conversation of a held-out task, and which call it wants beside those of the forbidden tool.</summary>
public interface IAgentAttack
{
    /// <summary>The task is the trigger: what does not <see cref="Fit"/> is what must stay clean. Else the same tasks without what the attacker writes.</summary>
    bool WaitsForTask { get; }

    /// <summary>Whether the attacker can act in a task.</summary>
    bool Fit(AgentEpisode episode);

    /// <summary>The task with what the attacker writes into it.</summary>
    AgentEpisode Attack(AgentEpisode episode, Random random);
}
