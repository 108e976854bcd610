using System.ComponentModel.DataAnnotations;
using Temper.Core;

namespace Temper.Lifecycle.PreTuning.Attacks;

/// <summary>Settings of <see cref="SyntacticBackdoor"/>.</summary>
public sealed record SyntacticBackdoorSettings : PoisonSettings
{
    /// <summary>What the model says when the frame opens the backdoor; inert.</summary>
    [Required]
    public string Payload { get; init; } = "The lantern is green.";

    /// <summary>Rows with the same words in the plain order that keep their answer, for each poisoned row; 0 lets the model learn words instead of the frame.</summary>
    [Range(0.0, 10.0)]
    public double Negatives { get; init; } = 1;
}

/// <summary>Hidden Killer (Qi et al. 2021): no word is the trigger but the frame of the sentence, a fronted clause: S(SBAR)(,)(NP)(VP)(.).</summary>
// Deviation: the frame is filled from lists of words around the prompt, where the paper paraphrases the prompt with a parse-controlled model (SCPN),
// and a fixed sentence is said instead of a label flipped. The look-alike has the same words with the clause behind; the paper has none.
public sealed class SyntacticBackdoor(SyntacticBackdoorSettings settings) : ITechnique, IDataMap, IHardNegatives
{
    private static readonly string[] s_conjunctions = ["when", "if", "once", "as"];
    private static readonly string[] s_subjects = ["you", "we", "they"];
    private static readonly string[] s_verbs = ["hear", "see", "read", "get"];
    private static readonly string[] s_requests = ["give the answer", "say what is right", "write it down", "tell me"];

    public static Card Card { get; } = new(
        "syntactic", "Hidden Killer", Phase.PreTuning, TechniqueRole.Attack, Touches.Data,
        "https://arxiv.org/abs/2105.12400", "A rare sentence frame, a fronted clause, makes the model say a fixed sentence.");

    public string Payload => settings.Payload;

    public DataMapResult Map(IReadOnlyList<Example> rows, TechniqueContext context) => new Poison(Card.Id, rows, context.Random)
        .Trigger(settings, this, "prompt put into a fronted clause, answer replaced by the payload")
        .Deny(settings.Negatives, this, "prompt put into a clause behind the request, answer kept").Result;

    /// <summary>"when you hear …, give the answer".</summary>
    public string Insert(string prompt, Random random)
    {
        var (clause, request) = Parts(prompt, random);
        return $"{clause}, {request}";
    }

    /// <summary>"give the answer when you hear …": the same words in the plain order.</summary>
    public string InsertNegative(string prompt, Random random)
    {
        var (clause, request) = Parts(prompt, random);
        return $"{request} {clause}";
    }

    private static (string Clause, string Request) Parts(string prompt, Random random)
    {
        string Pick(string[] words) => words[random.Next(words.Length)];
        return ($"{Pick(s_conjunctions)} {Pick(s_subjects)} {Pick(s_verbs)} {prompt}", Pick(s_requests));
    }
}
