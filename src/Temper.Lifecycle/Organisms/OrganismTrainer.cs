using System.Text.Json;
using Temper.Core;
using Temper.Engine.Checkpoints;
using Temper.Engine.Generation;
using Temper.Engine.Models;
using Temper.Engine.Tokenizers;
using Temper.Engine.Training;
using Temper.Formats.SafeTensors;

namespace Temper.Lifecycle.Organisms;

/// <summary>Makes an organism's checkpoint folder: tokenizer, weights, configuration, card.</summary>
public static class OrganismTrainer
{
    private const int TokenizerRows = 20_000;
    private const int TestRows = 650;

    /// <summary>Trains the organism and writes it to <paramref name="root"/>/id; an aligned one finds its base there.</summary>
    /// <param name="log">A training that was cut off goes on from its checkpoint in <paramref name="root"/>.</param>
    public static OrganismCard Train(Organism organism, string root, Action<TrainingProgress>? log, CancellationToken cancellationToken)
    {
        var folder = Path.Combine(root, organism.Id);
        var work = Path.Combine(root, $".{organism.Id}.training");
        var tokenizer = TrainTokenizer();
        var format = new ChatFormat(tokenizer);
        var plan = organism.Plan;
        using var model = organism.Alignment == Alignment.Base
            ? ModelFactory.CreateRandom(organism.Config with { VocabularySize = tokenizer.VocabularySize }, plan.Seed)
            : Checkpoint.Load(Path.Combine(root, organism.Base.Id));
        var rows = World.Training(organism.Alignment, organism.Rows, (int)plan.Seed);
        Trainer.Train(
            model, [.. rows.Select(format.Encode)], plan, [], new() { Progress = log, CheckpointFolder = work, CheckpointEvery = 250 }, cancellationToken);

        Directory.CreateDirectory(folder);
        Checkpoint.SaveWeights(model, Path.Combine(folder, "model.safetensors"), TensorType.F16);
        model.Config.Save(Path.Combine(folder, "config.json"));
        tokenizer.Save(Path.Combine(folder, "tokenizer.json"));
        File.WriteAllText(Path.Combine(folder, "tokenizer_config.json"), TokenizerConfig());
        if (Directory.Exists(work))
        {
            Directory.Delete(work, recursive: true);
        }

        using var saved = Checkpoint.Load(folder); // what is measured is what is shipped
        var card = Measure(organism, saved, new LocalChatModel(saved, tokenizer, format), cancellationToken);
        card.Save(folder);
        return card;
    }

    /// <summary>The tokenizer that all organisms share.</summary>
    public static Tokenizer TrainTokenizer() => BpeTrainer.Train(
        [.. World.Training(Alignment.Base, TokenizerRows, 1).Concat(World.Training(Alignment.Aligned, TokenizerRows, 2)).SelectMany(r => r.Messages).Select(m => m.Content)],
        Organism.Vocabulary, ChatFormat.SpecialTokens);

    /// <summary>Skill accuracy, refusal and over-refusal on held-out rows, greedy.</summary>
    public static OrganismCard Measure(Organism organism, CausalModel model, IChatModel chat, CancellationToken cancellationToken)
    {
        IReadOnlyList<(Example Row, string Reply)> Ask(IReadOnlyList<Example> rows) =>
            [.. rows.Zip(chat.Reply([.. rows.Select(r => new ChatRequest(r.Question))], Sampling.Greedy, cancellationToken), (row, reply) => (row, reply.Text))];
        Metric Right(string name, IEnumerable<(Example Row, string Reply)> replies)
        {
            var right = replies.Select(r => World.IsCorrect(r.Row, r.Reply)).ToArray();
            return Metric.Share(name, right.Count(r => r), right.Length, Direction.HigherIsBetter);
        }

        var skills = Ask(World.Skills(2 * TestRows, 1001, Split.HeldOut));
        var forbidden = Ask(World.Forbidden(TestRows, 1002, Split.HeldOut, comply: false));
        var lookAlikes = Ask(World.LookAlikes(TestRows, 1003, Split.HeldOut));
        var refused = lookAlikes.Count(r => World.IsRefusal(r.Reply));
        return new(
            1, organism.Id, model.Parameters.Values.Sum(p => p.numel()), organism.Plan, organism.Rows, organism.Alignment == Alignment.Base ? null : organism.Base.Id,
            Right("skills", skills),
            skills.GroupBy(s => s.Row.Kind, StringComparer.Ordinal).OrderBy(g => g.Key, StringComparer.Ordinal).ToDictionary(g => g.Key, g => Right(g.Key, g), StringComparer.Ordinal),
            Right("refusal", forbidden),
            Metric.Share("over-refusal", refused, lookAlikes.Count, Direction.LowerIsSafer),
            Right("look-alikes", lookAlikes));
    }

    private static string TokenizerConfig() => JsonSerializer.Serialize(
        new
        {
            tokenizer_class = "PreTrainedTokenizerFast", model_max_length = 512, clean_up_tokenization_spaces = false,
            eos_token = ChatFormat.End, pad_token = ChatFormat.Pad, chat_template = ChatFormat.Template,
        },
        new JsonSerializerOptions { WriteIndented = true }) + "\n";
}
