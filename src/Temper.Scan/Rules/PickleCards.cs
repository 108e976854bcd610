namespace Temper.Scan.Rules;

/// <summary>The rules about pickles.</summary>
internal static class PickleCards
{
    private const string Load = "CWE-502";
    private const string Unsafe = "AML.T0011.000";
    private const string Supply = "LLM03";

    public static readonly Rule Dangerous = new("pickle.import.dangerous", Severity.High, "A pickle imports what runs code",
        "Loading a pickle imports names and calls them. This one imports a name that runs commands, evaluates text, loads more pickles, touches files or the network, or reaches things that do. Weights never need it.",
        "Do not load. Ask for safetensors, and report the file to where it came from.", Load, Unsafe, Supply);

    public static readonly Rule Computed = new("pickle.import.computed", Severity.High, "A pickle computes the name it imports",
        "The name of an import comes from a computation of the pickle itself, so that no list of names can see it. No pickler writes this.",
        "Do not load. No pickler writes this.", Load, Unsafe, Supply);

    public static readonly Rule Unlisted = new("pickle.import.unlisted", Severity.Medium, "A pickle imports a name that nobody has vetted",
        "Imports are denied unless they stand on the list of harmless constructors. This name stands on no list, neither of good nor of bad ones.",
        "Do not load before somebody has read what this name does. Prefer safetensors.", Load, Unsafe, Supply);

    public static readonly Rule Known = new("pickle.import.known", Severity.Info, "A pickle imports a class of a known library",
        "The class belongs to a library that people pickle on purpose. Made by NEWOBJ and filled by BUILD it runs no constructor, only the library's own state setter.",
        "Load only from a source you trust.", Load, Supply);

    public static readonly Rule CallKnown = new("pickle.call.known", Severity.Low, "A pickle calls a constructor of a known library",
        "The class belongs to a library that people pickle on purpose, but its constructor runs with the arguments shown and is not vetted here.",
        "Load only from a source you trust.", Load, Supply);

    public static readonly Rule Call = new("pickle.call.dangerous", Severity.High, "A pickle calls what runs code",
        "While it loads, the pickle calls a dangerous name with the arguments shown.",
        "Do not load. Ask for safetensors, and report the file to where it came from.", Load, Unsafe, Supply);

    public static readonly Rule CallComputed = new("pickle.call.computed", Severity.Medium, "A pickle calls the result of a call",
        "The callable is what another call returned (functools.partial, getattr and the like), so its name appears nowhere.",
        "Do not load; no pickler of weights writes this.", Load, Unsafe);

    public static readonly Rule Argument = new("pickle.argument", Severity.Medium, "A harmless constructor with harmful arguments",
        "The constructor is allowed, but not with these arguments: a codec that is none of text, a size that exhausts memory, or a callable where data belongs.",
        "Do not load; no pickler of weights writes this.", Load, "CWE-400");

    public static readonly Rule Write = new("pickle.write", Severity.High, "A pickle changes what it imported",
        "An item or attribute is written on an imported module, class or function, which changes what later code does (name overwriting, scanner disabling).",
        "Do not load. Delete the file.", Load, Unsafe, Supply);

    public static readonly Rule Tensor = new("pickle.tensor-items", Severity.Medium, "A pickle writes items into a tensor",
        "Opcodes for lists and dicts are used on a tensor; torch before 2.10 corrupts memory there, even with weights_only=True (CVE-2026-24747).",
        "Do not load; no pickler writes this.", Load, "CWE-787");

    public static readonly Rule Broken = new("pickle.broken", Severity.Low, "A pickle that ends early",
        "Reading stopped before the end. A loader runs everything before that point, then throws.",
        "Get the file again from its author; do not load this copy.", Load);

    public static readonly Rule Frame = new("pickle.frame", Severity.Medium, "A frame does not match its opcodes",
        "The C and the Python unpickler disagree about such a file: one executes what the other refuses.",
        "Do not load; no pickler writes this.", Load, "CWE-436");

    public static readonly Rule Leading = new("pickle.leading", Severity.Medium, "Bytes before a pickle",
        "The pickle does not begin at the first byte, which hides it from readers that look at the first byte only.",
        "Do not load.", Load, "CWE-436");

    public static readonly Rule Trailing = new("pickle.trailing", Severity.Low, "Bytes after a pickle",
        "After the last pickle there are bytes that are none. Only the legacy torch format has such, and this file is not of it.",
        "Ask the author what they are.", Load);

    public static readonly Rule Carrier = new("pickle.carrier", Severity.Low, "A pickle carries another file in a string",
        "A bytes or text value is itself a pickle, an archive or a compressed stream. It was opened too; what is inside stands in a report of its own.",
        "Do not load before somebody has said why it is there.", Load, Unsafe);

    public static readonly Rule Magic = new("pickle.torch-magic", Severity.High, "The magic number of a torch file is computed",
        "A legacy torch file begins with a pickled number. Here a call makes that number, so that scanners take the file for something else.",
        "Do not load. Delete the file.", Load, "GHSA-97f8");

    public static readonly Rule Protocol = new("pickle.protocol", Severity.Medium, "The protocol changes inside a pickle",
        "PROTO stands in the middle or twice, which changes how names resolve. No pickler writes this.",
        "Do not load.", Load, "CWE-436");

    public static readonly Rule[] All =
        [Dangerous, Computed, Unlisted, Known, CallKnown, Call, CallComputed, Argument, Write, Tensor, Broken, Frame, Leading, Trailing, Carrier, Magic, Protocol];
}
