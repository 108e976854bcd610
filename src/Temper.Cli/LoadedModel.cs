using Temper.Core;
using Temper.Engine.Checkpoints;
using Temper.Engine.Generation;
using Temper.Engine.Lora;
using Temper.Engine.Models;
using Temper.Engine.Tokenizers;

namespace Temper.Cli;

/// <summary>A checkpoint's folder, ready to answer: model, adapter, tokenizer and chat template.</summary>
internal sealed class LoadedModel : IDisposable
{
    private const int BatchSize = 32;
    private readonly CausalModel _model;
    private readonly LoraAdapters? _adapters;
    private readonly Tokenizer _tokenizer;
    private readonly ChatTemplate? _template;
    private readonly IReadOnlyCollection<int> _endTokens;

    private LoadedModel(string folder, string? adapter)
    {
        _tokenizer = Tokenizer.Load(Path.Combine(folder, "tokenizer.json"));
        (_template, _endTokens) = (ChatTemplate.Load(folder), EndTokens.Of(folder, _tokenizer));
        _model = Checkpoint.Load(folder);
        try
        {
            _adapters = adapter is null ? null : PeftFolder.Load(_model, adapter);
        }
        catch
        {
            _model.Dispose();
            throw;
        }
    }

    public bool HasTemplate => _template is not null;

    public int MaxPositions => _model.Config.MaxPositions;

    /// <summary>Loads what <see cref="LoadGate"/> has admitted.</summary>
    public static LoadedModel Open(string folder, string? adapter) => new(folder, adapter);

    /// <summary>A conversation as ids up to the assistant's turn; without a template, or <paramref name="raw"/>, the contents as they are.</summary>
    public int[] Prompt(IReadOnlyList<Message> messages, bool raw = false)
    {
        var ids = _template is null || raw
            ? _tokenizer.Encode(string.Join('\n', messages.Select(m => m.Content)), addSpecial: true)
            : _template.Encode(_tokenizer, messages, addGenerationPrompt: true, now: TimeProvider.System.GetLocalNow().DateTime);
        return ids.Length == 0 ? throw new TemperException("prompt: found no tokens, expected at least one")
            : ids.Max() < _model.Config.VocabularySize ? ids
            : throw new TemperException($"tokenizer.json: found token {ids.Max()} in the prompt, expected ids below {_model.Config.VocabularySize} (vocab_size of config.json)");
    }

    /// <summary>An answer to each prompt, in their order; those of like length are computed side by side.</summary>
    public IReadOnlyList<ChatReply> Answer(IReadOnlyList<int[]> prompts, Sampling sampling, CancellationToken cancellationToken)
    {
        var generator = new TokenGenerator(_model, _endTokens);
        var replies = new ChatReply[prompts.Count];
        foreach (var (batch, rows) in Enumerable.Range(0, prompts.Count).OrderBy(i => prompts[i].Length).Chunk(BatchSize).Index())
        {
            cancellationToken.ThrowIfCancellationRequested();
            var answers = generator.Generate([.. rows.Select(i => prompts[i])], sampling with { Seed = unchecked(sampling.Seed + batch) }, cancellationToken);
            for (var i = 0; i < rows.Length; i++)
            {
                replies[rows[i]] = new(_tokenizer.Decode(answers[i]), answers[i].Length);
            }
        }

        return replies;
    }

    public void Dispose()
    {
        _adapters?.Dispose();
        _model.Dispose();
    }
}
