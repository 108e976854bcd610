using Temper.Core;

namespace Temper.Lifecycle.PostTuning.Defenses;

/// <summary>Settings of <see cref="SelfReminder"/>.</summary>
public sealed record SelfReminderSettings
{
    /// <summary>The system's turn before the conversation; empty adds none.</summary>
    public string Before { get; init; } = "you are a responsible assistant and refuse what is forbidden";

    /// <summary>What stands behind the request.</summary>
    public string After { get; init; } = "";
}

/// <summary>Self-reminder (Xie et al. 2023): the request stands between two reminders to answer responsibly.</summary>
public sealed class SelfReminder(SelfReminderSettings settings) : ITechnique, IInferenceLayer
{
    public static Card Card { get; } = new(
        "self-reminder", "Self-reminder", Phase.PostTuning, TechniqueRole.Defense, Touches.Inference,
        "https://doi.org/10.1038/s42256-023-00765-8", "Puts reminders to answer responsibly around every request.");

    public IChatModel Wrap(IChatModel inner, TechniqueContext context) => new RewritingLayer(inner, Remind);

    private ChatRequest Remind(ChatRequest request)
    {
        var reminded = settings.After.Length == 0 ? request : request.WithPrompt($"{request.Prompt} {settings.After}");
        if (settings.Before.Length == 0)
        {
            return reminded;
        }

        // a conversation has one system turn at most
        var system = reminded.Messages.FirstOrDefault(m => m.Role == Role.System)?.Content;
        return reminded with { Messages = [new(Role.System, system is null ? settings.Before : $"{settings.Before}. {system}"), .. reminded.Messages.Where(m => m.Role != Role.System)] };
    }
}
