namespace Temper.Scan.Rules;

/// <summary>The rules about PEFT adapters.</summary>
internal static class AdapterCards
{
    public static readonly Rule Import = new("adapter.import", Severity.High, "An adapter's configuration imports a module",
        "auto_mapping.parent_library and megatron_core name Python modules that PEFT imports on loading. This one is none of the libraries that have a reason to be there.",
        "Do not load.", "CWE-470", "LLM03");

    public static readonly Rule Base = new("adapter.base", Severity.Low, "An adapter without a firm base",
        "The base model is missing, a local path or an address, so that nobody knows what the adapter was made for.", "Ask the author for base model and revision.", "LLM03");

    public static readonly Rule BaseMismatch = new("adapter.base-mismatch", Severity.Medium, "The adapter does not fit the declared base",
        "Name or architecture of the base, or names or shapes of the tensors, do not match the base model given.", "Do not merge it into this base.", "CWE-20", "AML.T0018");

    public static readonly Rule Regex = new("adapter.regex", Severity.Medium, "A pattern that takes exponential time",
        "target_modules and its relatives are regular expressions, matched against every module's name. This one has nested repetitions.", "Do not load.", "CWE-1333");

    public static readonly Rule Size = new("adapter.size", Severity.Medium, "Rank, scale or replication out of proportion",
        "The rank, the ratio of alpha to rank, or the number of replicated layers is far beyond what adapters have: it exhausts memory or drowns the base.", "Do not load.", "CWE-400", "AML.T0018");

    public static readonly Rule Takeover = new("adapter.takeover", Severity.Low, "The adapter replaces whole layers",
        "modules_to_save or trainable tokens replace embeddings or the output head outright, which can change every answer.", "Ask why an adapter needs this.", "AML.T0018", "LLM04");

    public static readonly Rule NeverApplied = new("adapter.never-applied", Severity.Low, "An adapter that does nothing",
        "Every B matrix is zero, so the adapter changes nothing: training did not reach it, or what was evaluated is not what was shipped.", "Ask the author.", "CWE-345");

    public static readonly Rule Outside = new("adapter.outside", Severity.Medium, "Tensors outside the declared targets",
        "The file holds tensors for modules that the configuration does not name.", "Do not load; ask the author.", "AML.T0018");

    public static readonly Rule Shape = new("adapter.shape", Severity.Medium, "Factors that do not fit each other",
        "A and B of a module have different ranks, the rank is not the declared one, or one of the two is missing.", "Do not load; get the file again from its author.", "CWE-20");

    public static readonly Rule Unknown = new("adapter.unknown-field", Severity.Info, "A field that this version does not know",
        "The configuration has fields that were not part of PEFT when this rule was written.", "Usually a newer PEFT.");

    public static readonly Rule Spectrum = new("adapter.spectrum", Severity.Info, "The spectrum of the update",
        "Leading singular value, Frobenius norm, share of energy in the leading direction, entropy and kurtosis of each update, from the QR of its factors.", "A picture, no verdict: compare with adapters you know, by eye in --format html or with --cohort.", "AML.T0018");

    public static readonly Rule Outlier = new("adapter.outlier", Severity.Medium, "The update is unlike those of known good adapters",
        "Among the adapters of the cohort given, at most one in twenty would lie as far from the others as this one does. Backdoored adapters often do; so do adapters trained on another task, for longer or at another rate.",
        "Ask how it was trained, look at the modules that stand out (--format html), and run temper audit.", "AML.T0018", "LLM04");

    public static readonly Rule[] All = [Import, Base, BaseMismatch, Regex, Size, Takeover, NeverApplied, Outside, Shape, Unknown, Spectrum, Outlier];
}
