using Temper.Core;
using Temper.Lifecycle.Agents;

namespace Temper.Lifecycle.PostTuning.Attacks;

/// <summary>Settings of <see cref="DirectInjection"/>.</summary>
public sealed record DirectInjectionSettings
{
    /// <summary>The wrapper around the instruction.</summary>
    public InjectionTemplate Template { get; init; }

    /// <summary>The tool that the instruction asks for.</summary>
    public InjectionTool Tool { get; init; }

    /// <summary>False: the control, words in the same place that ask for nothing.</summary>
    public bool Instruct { get; init; } = true;
}

/// <summary>Direct prompt injection with tool hijack: behind the user's task stands an instruction to call a tool, as when a user pastes somebody's text
/// (Perez and Ribeiro 2022; the wrappers are those of Liu et al. 2024).</summary>
public sealed class DirectInjection(DirectInjectionSettings settings) : ITechnique, IAgentAttack
{
    public static Card Card { get; } = new(
        "direct-injection", "Direct prompt injection", Phase.PostTuning, TechniqueRole.Attack, Touches.Inference,
        "https://arxiv.org/abs/2211.09527", "An instruction in the user's message makes an agent call a tool that its task does not need.");

    public bool WaitsForTask => false;

    public bool Fit(AgentEpisode episode) => true;

    public AgentEpisode Attack(AgentEpisode episode, Random random)
    {
        var injection = Injection.Write(settings.Template, settings.Tool, settings.Instruct, episode, random);
        return episode with { Prompt = $"{episode.Prompt}. {injection.Text}", Target = injection.Target };
    }
}
