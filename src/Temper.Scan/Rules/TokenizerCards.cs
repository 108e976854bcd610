namespace Temper.Scan.Rules;

/// <summary>The rules about tokenizers.</summary>
internal static class TokenizerCards
{
    public static readonly Rule Ids = new("tokenizer.ids", Severity.Medium, "The vocabulary is not one to one",
        "Two tokens share an id, or a token stands twice, so that text and ids do not map to each other.", "Use the base model's tokenizer.", "AML.T0018", "CWE-20");

    public static readonly Rule Alias = new("tokenizer.alias", Severity.Medium, "An added token aliases another",
        "An added token has the id of a different vocabulary entry: one text becomes another on the way to the model.", "Use the base model's tokenizer.", "AML.T0018");

    public static readonly Rule Special = new("tokenizer.special-word", Severity.Medium, "An ordinary word is a special token",
        "Special tokens are dropped when text is decoded and matched before anything else. A word of a language among them changes what users write and read.", "Use the base model's tokenizer.", "AML.T0018", "LLM04");

    public static readonly Rule Replace = new("tokenizer.replace", Severity.Medium, "The tokenizer replaces words",
        "A Replace rule of normalizer, pre-tokenizer or decoder changes words, not only spaces: users write one thing, the model reads another.", "Use the base model's tokenizer.", "AML.T0018", "LLM04");

    public static readonly Rule Regex = new("tokenizer.regex", Severity.Medium, "A pattern that takes exponential time",
        "A regular expression of the tokenizer has nested repetitions; one message can hang the server.", "Use the base model's tokenizer.", "CWE-1333");

    public static readonly Rule PostProcessor = new("tokenizer.post-processor", Severity.Medium, "The post-processor inserts what it does not name",
        "The ids that it inserts belong to other tokens than the names beside them, or the text of a language is inserted.", "Use the base model's tokenizer.", "AML.T0018");

    public static readonly Rule Permuted = new("tokenizer.permuted", Severity.High, "Token ids are not the base model's",
        "Tokens of the base stand under other ids. Swapping a few words' ids turns yes into no without touching a weight.", "Use the base model's tokenizer.", "AML.T0018", "LLM04");

    public static readonly Rule Differs = new("tokenizer.differs", Severity.Medium, "The tokenizer is not the base model's",
        "Normalizer, pre-tokenizer, post-processor, decoder, merges or the flags of control tokens differ from the declared base.", "Use the base model's tokenizer, or ask why.", "AML.T0018");

    public static readonly Rule Added = new("tokenizer.added", Severity.Low, "Tokens that the base does not have",
        "A fine-tune added tokens. That is common, and it is a place for triggers.", "Ask what they are for.", "AML.T0043.004");

    public static readonly Rule[] All = [Ids, Alias, Special, Replace, Regex, PostProcessor, Permuted, Differs, Added];
}
