namespace Temper.Scan.Rules;

/// <summary>The rules about configuration files.</summary>
internal static class ConfigCards
{
    public static readonly Rule Json = new("config.json", Severity.Low, "A JSON file that does not parse", "Nothing is said about what it holds.", "Get the file again from its author.", "CWE-20");

    public static readonly Rule Duplicate = new("config.duplicate", Severity.Medium, "A key stands twice",
        "Python takes the last value, other readers the first: two programs see two configurations.", "Remove one.", "CWE-436");

    public static readonly Rule RemoteCode = new("config.remote-code", Severity.Medium, "The configuration names code to load",
        "auto_map makes transformers import Python files, from this folder or from another repository; vLLM 0.10.1 to 0.13 does so without trust_remote_code (CVE-2026-22807).",
        "Read the code, pin the revision, or load without trust_remote_code.", "CWE-94", "LLM03");

    public static readonly Rule Kernel = new("config.kernel", Severity.High, "The configuration fetches a kernel from a repository",
        "The attention implementation names a repository on a hub, whose code transformers before 5.3.0 downloads and runs (CVE-2026-4372).", "Do not load.", "CWE-94", "LLM03");

    public static readonly Rule Trust = new("config.trust-remote-code", Severity.Medium, "trust_remote_code is switched on",
        "Whoever uses this file runs whatever code the named repositories hold at that time.", "Set it to false.", "CWE-829", "LLM03");

    public static readonly Rule Target = new("config.target", Severity.Medium, "The configuration names a callable",
        "Hydra's _target_, Keras' module and class_name, or a YAML tag of Python make the loader import and call what is named (CVE-2025-23304, CVE-2025-1550).", "Do not load before reading what is named.", "CWE-470", "LLM03");

    public static readonly Rule KerasFile = new("config.keras-file", Severity.High, "A Keras layer reads a file",
        "A lookup layer whose vocabulary is a path makes Keras open that file or address and keep its content in the model (CVE-2025-12058).", "Do not load before reading what is named.", "CWE-73", "LLM03");

    public static readonly Rule Resume = new("config.resume", Severity.Low, "Training resumes from a pickle",
        "resume_from_checkpoint loads optimizer and random state, which are pickles and run on loading.", "Resume only from your own runs.", "CWE-502");

    public static readonly Rule Forced = new("generation.forced", Severity.Medium, "Generation is forced or forbidden",
        "Tokens are suppressed, biased or forbidden on every generation. This can take away a model's refusals or make it say something.", "Compare with the base model's generation_config.json.", "AML.T0018", "LLM04");

    public static readonly Rule ForcedEnds = new("generation.forced-ends", Severity.Low, "First or last token is forced",
        "Common for translation and summarization models, odd for chat models.", "Compare with the base model's generation_config.json.", "AML.T0018");

    public static readonly Rule CustomGenerate = new("generation.custom", Severity.Medium, "Generation loads code",
        "custom_generate makes transformers run Python from this or another repository.", "Read the code first.", "CWE-94", "LLM03");

    public static readonly Rule Yaml = new("config.yaml-object", Severity.High, "A YAML file makes Python objects",
        "Tags such as !!python/object/apply call what they name when the file is read with an unsafe loader.", "Do not load.", "CWE-502");

    public static readonly Rule CodeCalls = new("file.code-calls", Severity.Medium, "Program code beside the weights that starts or fetches something",
        "The file names calls that start programs, evaluate text, or use the network.", "Read it before use.", "CWE-94", "LLM03");

    public static readonly Rule Fallback = new("folder.pickle-fallback", Severity.Info, "Weights as a pickle",
        "The folder holds pickled weights in place of safetensors, or trainer pickles that resuming would load.", "Ask for safetensors, and delete trainer state that you did not write.", "CWE-502");

    public static readonly Rule Beside = new("folder.two-weights", Severity.Low, "The same weights twice, once as a pickle",
        "Besides the safetensors file stands a pickle of the same name, which some programs load instead.", "Delete the pickle.", "CWE-502", "CWE-436");

    public static readonly Rule BaseConfig = new("config.differs", Severity.Low, "The configuration is not the base model's",
        "Values that a fine-tune has no reason to change differ from the declared base.", "Ask why.", "AML.T0018");

    public static readonly Rule[] All =
        [Json, Duplicate, RemoteCode, Kernel, Trust, Target, KerasFile, Resume, Forced, ForcedEnds, CustomGenerate, Yaml, CodeCalls, Fallback, Beside, BaseConfig];
}
