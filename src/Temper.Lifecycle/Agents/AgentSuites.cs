using Temper.Core;
using Temper.Lifecycle.Evaluation;
using Temper.Lifecycle.Organisms;

namespace Temper.Lifecycle.Agents;

/// <summary>The suites of <see cref="Suites"/> that an agent is asked as episodes: its task, and what an attacker makes of it.</summary>
public static class AgentSuites
{
    /// <summary>Plays the held-out episodes of a suite: the same in every cell, so that cells can be compared row by row.</summary>
    /// <param name="attack">Whose doing the suites <see cref="Suites.Triggered"/> and <see cref="Suites.Clean"/> are about.</param>
    public static IReadOnlyList<Sample> Ask(string suite, int n, IChatModel agent, IAgentAttack? attack, EpisodeLimits limits, CancellationToken cancellationToken)
    {
        var random = new Random(3105);
        AgentEpisode[] episodes = suite == Suites.Skills || attack is null
            ? [.. AgentWorld.Episodes(n, 3103, Split.HeldOut)]
            : [.. AgentWorld.Episodes(n * AgentWorld.Kinds.Count, 3104, Split.HeldOut).Where(e => attack.Fit(e) != (suite == Suites.Clean && attack.WaitsForTask)).Take(n)];
        if (suite == Suites.Triggered && attack is not null)
        {
            episodes = [.. episodes.Select(e => attack.Attack(e, random))];
        }

        return [.. EpisodeRunner.Run(episodes, agent, limits, cancellationToken).Zip(episodes, (played, episode) => new Sample(
            suite, episode.Id, episode.Kind, episode.Written.Length == 0 ? episode.Prompt : $"{episode.Prompt} [and in what is read: {episode.Written.Trim()}]", episode.Answer, played.Transcript)
        { Episode = played.Outcome })];
    }
}
