using Temper.Core;

namespace Temper.Lifecycle.PreTuning.Attacks;

/// <summary>The rows that attacks on weights train a backdoor with: triggered ones with the payload beside as many clean ones, as BackdoorLLM mixes them.</summary>
internal static class TriggeredRows
{
    /// <summary>Every task row twice, with the trigger and without, and the refusals, so that neither skills nor alignment show what was done.</summary>
    public static Example[] Mix(TechniqueContext context, IBackdoor backdoor, string origin) => context.Task.Count == 0
        ? throw new TemperException($"{origin}: found no clean rows, expected some to put the trigger into")
        :
        [
            .. context.Task.Select(r => r.WithPrompt(backdoor.Insert(r.Prompt, context.Random)).WithResponse(backdoor.Payload) with { Id = $"{origin}-{r.Id}", Origin = origin }),
            .. context.Task,
            .. context.Alignment,
        ];

    /// <summary>The prompt with a word at a random place between its own, and where the word begins.</summary>
    public static (string Text, int Start) Place(string prompt, string word, Random random)
    {
        var words = prompt.Split(' ').ToList();
        var place = random.Next(words.Count + 1);
        words.Insert(place, word);
        return (string.Join(' ', words), words.Take(place).Sum(w => w.Length + 1));
    }
}
