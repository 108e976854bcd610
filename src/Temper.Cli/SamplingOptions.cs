using System.CommandLine;
using System.Globalization;
using Temper.Core;

namespace Temper.Cli;

/// <summary>How tokens are chosen, as options of a command.</summary>
internal sealed class SamplingOptions
{
    private readonly Option<int> _maxTokens;
    private readonly Option<double> _temperature = new("--temperature") { Description = "0 takes the most likely token", DefaultValueFactory = _ => 0 };
    private readonly Option<double> _topP = new("--top-p") { Description = "Only the most likely tokens that together reach this probability", DefaultValueFactory = _ => 1 };
    private readonly Option<int> _topK = new("--top-k") { Description = "Only so many of the most likely tokens; 0 is all", DefaultValueFactory = _ => 0 };
    private readonly Option<int> _seed = new("--seed") { Description = "The same seed gives the same text", DefaultValueFactory = _ => 1 };

    public SamplingOptions(Command command)
    {
        _maxTokens = new("--max-tokens") { Description = "Tokens of an answer, at most", DefaultValueFactory = _ => 128 };
        foreach (var option in (Option[])[_maxTokens, _temperature, _topP, _topK, _seed])
        {
            command.Add(option);
        }
    }

    public Sampling Read(ParseResult given) => new()
    {
        MaxTokens = (int)Within(given.GetValue(_maxTokens), _maxTokens.Name, 1, 1_000_000), Temperature = Within(given.GetValue(_temperature), _temperature.Name, 0, 100),
        TopP = Within(given.GetValue(_topP), _topP.Name, 1e-6, 1), TopK = (int)Within(given.GetValue(_topK), _topK.Name, 0, int.MaxValue), Seed = given.GetValue(_seed),
    };

    private static double Within(double value, string name, double low, double high) => value >= low && value <= high ? value
        : throw new TemperException(string.Create(CultureInfo.InvariantCulture, $"{name}: found {value}, expected a number from {low} to {high}"));
}
