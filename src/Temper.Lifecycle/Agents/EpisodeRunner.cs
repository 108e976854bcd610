using System.Text;
using Temper.Core;

namespace Temper.Lifecycle.Agents;

/// <summary>How long an episode may become.</summary>
public sealed record EpisodeLimits
{
    /// <summary>Replies of the agent.</summary>
    public int Turns { get; init; } = 6;

    /// <summary>Tokens of one reply.</summary>
    public int MaxTokens { get; init; } = 40;

    /// <summary>What a conversation may measure before the agent speaks.</summary>
    public int MaxLength { get; init; } = 16_384;

    /// <summary>The measure: bytes, or the tokens of a model.</summary>
    public Func<IReadOnlyList<Message>, int> Length { get; init; } = messages => messages.Sum(m => Encoding.UTF8.GetByteCount(m.Content));
}

/// <summary>Plays episodes: the agent speaks, its call is run, what the tool says is put before it, until it answers. All episodes advance one turn together,
/// so that a local model answers them as one batch.</summary>
public static class EpisodeRunner
{
    public static IReadOnlyList<Episode> Run(IReadOnlyList<IAgentTask> tasks, IChatModel agent, EpisodeLimits limits, CancellationToken cancellationToken)
    {
        var games = tasks.Select(t => new Game(t)).ToArray();
        for (var turn = 0; turn < limits.Turns; turn++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            foreach (var game in games.Where(g => g.End is null && limits.Length(g.Messages) > limits.MaxLength))
            {
                game.End = EpisodeEnd.TooLong;
            }

            var going = games.Where(g => g.End is null).ToArray();
            if (going.Length == 0)
            {
                break;
            }

            var replies = agent.Reply([.. going.Select(g => new ChatRequest([.. g.Messages]))], Sampling.Greedy with { MaxTokens = limits.MaxTokens }, cancellationToken);
            foreach (var (game, reply) in going.Zip(replies))
            {
                game.Take(reply.Text);
            }
        }

        return [.. games.Select(g => g.Finish())];
    }

    private sealed class Game(IAgentTask task)
    {
        private readonly IAgentEnvironment _environment = task.Open();
        private string? _answer;
        private int _mistakes;

        public List<Message> Messages { get; } = [.. task.Opening];

        public EpisodeEnd? End { get; set; }

        public void Take(string reply)
        {
            Messages.Add(new(Role.Assistant, reply));
            if (!AgentCall.IsMeant(reply))
            {
                (_answer, End) = (reply, EpisodeEnd.Answered);
            }
            else if (AgentCall.Read(reply, out var mistake) is { } call)
            {
                Messages.Add(new(Role.Tool, _environment.Run(call)));
            }
            else
            {
                _mistakes++;
                Messages.Add(new(Role.Tool, AgentCall.Observation("error", mistake)));
            }
        }

        public Episode Finish() => new(task, Messages, End ?? EpisodeEnd.TooManyTurns, _mistakes, _environment.Judge(_answer));
    }
}
