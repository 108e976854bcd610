namespace Temper.Scan.Rules;

/// <summary>The rules about model formats that carry a graph of operations: ONNX, TensorFlow and Keras.</summary>
internal static class GraphCards
{
    private const string Supply = "LLM03";

    public static readonly Rule Broken = new("graph.broken", Severity.Low, "A model file that could not be read to its end",
        "Part of the graph was not seen, so nothing is said about it.", "Do not load; get the file again from its author.", "CWE-20");

    public static readonly Rule External = new("onnx.external", Severity.High, "ONNX weights outside the model's folder",
        "The place of a tensor's data leads out of the folder, so that loading reads whatever file of this computer the author named (CVE-2022-25882, CVE-2024-27318, CVE-2025-51480, CVE-2026-34447).",
        "Do not load. No exporter writes such a path.", "CWE-22", Supply, "AML.T0011.000");

    public static readonly Rule ExternalData = new("onnx.external-data", Severity.Medium, "ONNX weights in a file that cannot hold them",
        "The range of a tensor's data is not in the file that it names, or the entry has keys that the format does not know, which onnx once set as attributes of its own objects.",
        "Do not load; get all files again from their author.", "CWE-20", "CWE-345");

    public static readonly Rule ExternalMissing = new("onnx.external-missing", Severity.Low, "ONNX weights in a file that is not here",
        "The model names a file beside it that was not scanned.", "Get all files of the model, and scan the folder.");

    public static readonly Rule Python = new("onnx.python", Severity.High, "An ONNX operator runs Python",
        "The operator calls a Python function or class that the model names.", "Do not load. Delete the file.", "CWE-94", Supply, "AML.T0018.002");

    public static readonly Rule Custom = new("onnx.custom", Severity.Medium, "ONNX operators that need a library of their own",
        "The operators are of a domain that no runtime brings along and the file does not define: loading takes native code from elsewhere.",
        "Ask for standard operators; load no library that comes with the model.", "CWE-829", Supply);

    public static readonly Rule Override = new("onnx.override", Severity.Medium, "The file redefines a standard operator of ONNX",
        "A function of the file has the name of an operator that every runtime has: runtimes disagree about which counts.", "Do not load before reading the function.", "CWE-436", "AML.T0018.001");

    public static readonly Rule Tensor = new("onnx.tensor", Severity.Medium, "An ONNX tensor whose size cannot be true",
        "Dimensions times item size is not the length of the data, or overflows. Readers that trust one of them read or allocate beyond.", "Do not load; get the file again from its author.", "CWE-190", "CWE-20");

    public static readonly Rule Operation = new("tensorflow.operation", Severity.High, "A TensorFlow graph reads or writes files or runs Python",
        "The graph holds operations that read or write files of the author's choice, or call Python, when the model is called.",
        "Do not load. Ask for safetensors, and report the file to where it came from.", "CWE-94", Supply, "AML.T0018.002");

    public static readonly Rule Reach = new("tensorflow.reach", Severity.Medium, "A TensorFlow graph reaches files, the network or native code",
        "Operations that read data files, write logs and checkpoints, talk to other computers or call native code stand where models for inference have none.",
        "Do not load before somebody has said why they are there.", "CWE-829", Supply);

    public static readonly Rule Library = new("tensorflow.custom", Severity.Low, "TensorFlow operations of a library of their own",
        "The operations are not TensorFlow's: loading takes native code from elsewhere.", "Load only the library you know, never one that comes with the model.", "CWE-829");

    public static readonly Rule Asset = new("tensorflow.asset", Severity.High, "An asset of a SavedModel outside its folder",
        "The name of a file that belongs to the model leads out of it.", "Do not load. No exporter writes such a name.", "CWE-22", Supply);

    public static readonly Rule H5External = new("hdf5.external", Severity.High, "An HDF5 file takes its data from other files",
        "A link, a virtual dataset or external storage makes the reader open another file of this computer and pass its content off as weights (CVE-2026-1669).",
        "Do not load. Weights never need it.", "CWE-73", Supply);

    public static readonly Rule H5Structure = new("hdf5.structure", Severity.Low, "An HDF5 file that could not be read to its end",
        "Part of the file was not seen: it is damaged, or uses something that writers of weights do not.", "Do not load; get the file again from its author.", "CWE-20");

    public static readonly Rule H5Filter = new("hdf5.filter", Severity.Low, "HDF5 data behind a filter of a plugin",
        "The library loads native code to unpack such data.", "Load no plugin that comes with the model.", "CWE-829");

    public static readonly Rule[] All =
        [Broken, External, ExternalData, ExternalMissing, Python, Custom, Override, Tensor, Operation, Reach, Library, Asset, H5External, H5Structure, H5Filter];
}
