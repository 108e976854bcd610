using Temper.Core;
using Temper.Lifecycle.Agents;

namespace Temper.Lifecycle.PostTuning.Attacks;

/// <summary>Settings of <see cref="IndirectInjection"/>.</summary>
public sealed record IndirectInjectionSettings
{
    /// <summary>The wrapper around the instruction.</summary>
    public InjectionTemplate Template { get; init; }

    /// <summary>The tool that the instruction asks for.</summary>
    public InjectionTool Tool { get; init; }

    /// <summary>False: the control, words in the same place that ask for nothing.</summary>
    public bool Instruct { get; init; } = true;

    /// <summary>The attacker wrote the whole text, as in InjecAgent; else stands behind what others wrote.</summary>
    public bool Replace { get; init; }
}

/// <summary>Indirect prompt injection with tool hijack: the instruction stands in a note or a calendar entry that the agent reads for its user
/// (Greshake et al. 2023; measured as AgentDojo does, Debenedetti et al. 2024).</summary>
public sealed class IndirectInjection(IndirectInjectionSettings settings) : ITechnique, IAgentAttack
{
    public static Card Card { get; } = new(
        "indirect-injection", "Indirect prompt injection", Phase.PostTuning, TechniqueRole.Attack, Touches.Inference,
        "https://arxiv.org/abs/2302.12173", "An instruction in what a tool returns makes an agent call a tool that its task does not need.");

    public bool WaitsForTask => false;

    public bool Fit(AgentEpisode episode) => episode.ReadsText;

    public AgentEpisode Attack(AgentEpisode episode, Random random)
    {
        var injection = Injection.Write(settings.Template, settings.Tool, settings.Instruct, episode, random);
        return episode with { Written = settings.Replace ? injection.Text : $". {injection.Text}", Replaced = settings.Replace, Target = injection.Target };
    }
}
