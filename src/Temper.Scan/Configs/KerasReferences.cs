using Temper.Formats.Containers;
using Temper.Formats.Json;
using Temper.Scan.Artifacts;
using Temper.Scan.Rules;

namespace Temper.Scan.Configs;

/// <summary>What Keras imports, unpickles or opens for the layers that a configuration lists.</summary>
internal static class KerasReferences
{
    private static readonly string[] Roots = ["keras", "tf_keras", "tensorflow", "keras_hub", "keras_nlp", "keras_cv", "keras_core"];

    // Their functions compute; those of other modules also fetch, unpack, load and save.
    private static readonly string[] Computing =
        ["activations", "losses", "metrics", "regularizers", "constraints", "initializers", "ops", "layers", "random", "optimizers", "backend"];

    // What a symbol of TensorFlow's own interface can reach beyond computing.
    private static readonly string[] Reaching = ["io.", "raw_ops.", "py_function", "numpy_function", "load_", "saved_model", "print", "compat.", "data.", "summary.", "experimental.", "train."];

    /// <summary>The finding on one member of a JSON object, or null.</summary>
    public static Finding? Judge(JsonTree owner, string name, JsonTree value, string place) => (name, value.String) switch
    {
        ("class_name", "Lambda" or "__lambda__") => ConfigCards.Target.At(place, $"A Keras {value.String} carries marshalled code.", value.Text, Severity.High),
        ("class_name", "TorchModuleWrapper") => ConfigCards.Target.At(place, "A TorchModuleWrapper unpickles its module (CVE-2025-49655).", value.Text, Severity.High),
        ("class_name", "TFOpLambda" or "SlicingOpLambda") => Symbol(owner["config"]?["function"]?.String ?? "", place),
        ("class_name", { } type) when owner["module"]?.String is { } module => Import(module, type == "function" ? owner["config"]?.String ?? "" : type, type == "function", place),
        ("fn_module" or "fn_name", { } function) => CodeReferences.Target(place, function),
        ("vocabulary", { Length: > 0 } file) when IsFar(file) => ConfigCards.KerasFile.At(place, "A layer reads its vocabulary from a file of this computer or the network.", file),
        ("vocabulary", { Length: > 0 } file) when owner["num_oov_indices"] is not null || owner["output_mode"] is not null =>
            ConfigCards.KerasFile.At(place, "A layer reads its vocabulary from a file.", file, Severity.Medium),
        _ => null,
    };

    private static Finding? Import(string module, string name, bool function, string place)
    {
        var parts = module.Split('.');
        if (!Roots.Contains(parts[0]))
        {
            // Keras looks plain functions of "builtins" up among its own; older ones imported what was named.
            return module == "builtins" && function && PickleNames.Classify(module, name) != NameTrust.Dangerous ? null : CodeReferences.Target(place, $"{module}.{name}");
        }

        if (name.Length == 0 || !char.IsAsciiLetterLower(name[0]) || parts.Intersect(Computing).Any())
        {
            return null;
        }

        return ConfigCards.Target.At(place, $"Keras calls its own function {module}.{name} (CVE-2025-8747, CVE-2025-9906).", $"{module}.{name}", Severity.High);
    }

    private static Finding? Symbol(string function, string place) => Array.Exists(Reaching, r => function.Contains(r, StringComparison.Ordinal))
        ? ConfigCards.Target.At(place, $"A layer calls tf.{function}.", function, Severity.High)
        : null;

    private static bool IsFar(string file) => ArchiveNames.Escapes(file) || file.Contains("://", StringComparison.Ordinal);
}
