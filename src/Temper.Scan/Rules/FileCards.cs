namespace Temper.Scan.Rules;

/// <summary>The rules about files, limits and containers.</summary>
internal static class FileCards
{
    public static readonly Rule Limit = new("scan.limit", Severity.Low, "A limit of the scan was reached",
        "Part of the file was not read, so nothing is said about it.", "Raise the limit, or do not load what was not read.", "CWE-400");

    public static readonly Rule Time = new("scan.time", Severity.Low, "The time for this file ran out",
        "Reading took longer than the limit for one file; a file that keeps readers busy is an attack of its own.", "Do not load what was not read.", "CWE-400");

    public static readonly Rule Fault = new("scan.fault", Severity.Low, "The scan failed on this file",
        "Temper itself stumbled here. The file counts as not read.", "Do not load it, and report the file to the authors of Temper.");

    public static readonly Rule Unreadable = new("file.unreadable", Severity.Low, "A file or folder could not be read",
        "The system refused to open it.", "Check that it exists and may be read.");

    public static readonly Rule Changed = new("file.changed", Severity.Low, "A file that changed while it was read",
        "Somebody wrote or cut the file during the scan, so what was judged is not what lies there now.", "Let downloads and copies finish, then scan again.", "CWE-367");

    public static readonly Rule Link = new("file.link", Severity.Low, "A link that is not followed",
        "The link leaves the folder, leads to a folder or to nothing.", "Scan its target by itself.", "CWE-59");

    public static readonly Rule Unrecognized = new("file.unrecognized", Severity.Info, "A file of no known format",
        "No rule read this file, so its verdict is unknown.", "Ask what it is for, and do not load it as a model.");

    public static readonly Rule GitLfs = new("file.lfs-pointer", Severity.Low, "A Git LFS pointer instead of weights",
        "The file is the small text that Git leaves where the real file was not fetched.", "Run 'git lfs pull' and scan again.");

    public static readonly Rule Disguise = new("container.disguise", Severity.Medium, "A container under the name of another format",
        "The name promises weights in one format, the content is an archive or compressed stream that hides them from scanners which go by names or by the first bytes.",
        "Do not load; ask the author why it is packed.", "CWE-434", "AML.T0011.000");

    public static readonly Rule Broken = new("container.broken", Severity.Low, "An archive or stream that could not be read to its end",
        "What came before the damage was scanned. A loader may still read it differently.", "Do not load; get the file again from its author.");

    public static readonly Rule Encrypted = new("container.encrypted", Severity.Medium, "An encrypted member",
        "Nobody can say what it holds.", "Do not load. Ask for an unencrypted file.", "LLM03");

    public static readonly Rule Bomb = new("container.bomb", Severity.Medium, "A member unpacks to far more than it holds",
        "Unpacking it would fill memory or disk.", "Do not unpack.", "CWE-409");

    public static readonly Rule Name = new("container.name", Severity.Medium, "A member's name leaves the archive or stands twice",
        "Unpacking could write outside the folder, or readers disagree about which of two members counts.", "Do not load; readers disagree about such an archive.", "CWE-22");

    public static readonly Rule ContainerLink = new("container.link", Severity.Medium, "A link inside an archive",
        "Unpacking it could read or overwrite files elsewhere.", "Do not unpack.", "CWE-59");

    public static readonly Rule ZipMismatch = new("zip.mismatch", Severity.Medium, "The two tables of a zip file disagree",
        "Name, checksum, size, method or flags differ between the directory and the member's own header, so that one reader sees another file than the next (CVE-2025-1944, CVE-2025-10156).",
        "Do not load; no honest writer produces this.", "CWE-436");

    public static readonly Rule ZipFlags = new("zip.flags", Severity.Medium, "Flags that stop scanners but not loaders",
        "Bits for encryption or patches are set: Python's zipfile refuses the member, torch reads it (CVE-2025-1945).", "Do not load; no honest writer produces this.", "CWE-436");

    public static readonly Rule ZipCrc = new("zip.crc", Severity.Medium, "A member does not match its checksum",
        "Scanners that verify checksums skip it, torch does not verify and loads it (CVE-2025-10156); or the download is damaged.", "Do not load; get the file again from its author.", "CWE-354");

    public static readonly Rule ZipStray = new("zip.stray", Severity.Medium, "Bytes of a zip file that belong to no member",
        "There is something before, between or after the members, or a member that the directory hides: the place where polyglots keep the other file.", "Do not load.", "CWE-436");

    public static readonly Rule ZipStructure = new("zip.structure", Severity.Medium, "A zip file whose structure cannot be true",
        "Members overlap, sizes lie or the directory is broken. What could be recovered was scanned.", "Do not load; get the file again from its author.", "CWE-20");

    public static readonly Rule TorchScript = new("torch.script", Severity.Medium, "A TorchScript archive holds code",
        "The archive carries compiled model code, which torch.jit.load runs; here it names operators that read, write or start something.", "Do not load; ask for plain weights.", "CWE-94");

    public static readonly Rule TorchCode = new("torch.code", Severity.Low, "A torch archive with code",
        "The archive holds TorchScript or packaged Python source, which runs when it is loaded or called.", "Read the code, or ask for plain weights.", "CWE-94");

    public static readonly Rule TorchMember = new("torch.hidden-pickle", Severity.Medium, "A pickle where a torch archive keeps raw storages",
        "Storages are numbers. A pickle there is read only by code that was told to (CVE-2025-1889).", "Do not load.", "CWE-502");

    public static readonly Rule TorchStorage = new("torch.storage-size", Severity.Medium, "A storage is not as long as the pickle says",
        "The pickle promises a number of items of a type, the archive holds another number of bytes. A loader that trusts the promise reads beyond the storage (CVE-2026-24747).",
        "Do not load; get the file again from its author.", "CWE-125");

    public static readonly Rule TorchTar = new("torch.tar", Severity.Medium, "A torch file in the old tar format",
        "torch.load of versions before 2.6 runs code from this format even with weights_only=True (CVE-2025-32434). Nothing has written it since 2017.", "Do not load; ask for safetensors.", "CWE-502");

    public static readonly Rule NpyObject = new("npy.object", Severity.Medium, "An array of Python objects",
        "The data of such an array is a pickle, which numpy.load runs with allow_pickle=True (CVE-2019-6446).", "Load without allow_pickle, or not at all.", "CWE-502");

    public static readonly Rule NpyStructure = new("npy.structure", Severity.Medium, "The header of an array does not describe its data",
        "Shape times item size is not the length of the data, or the header is no literal.", "Do not load; get the file again from its author.", "CWE-20");

    public static readonly Rule Code = new("file.code", Severity.Low, "Program code beside the weights",
        "Loading with trust_remote_code=True, or a custom_generate folder, runs this file.", "Read it, or load without trust_remote_code.", "CWE-94", "LLM03");

    public static readonly Rule Polyglot = new("file.polyglot", Severity.Medium, "A file of two formats at once",
        "Two readers see two different files in the same bytes.", "Do not load.", "CWE-436");

    public static readonly Rule[] All =
    [
        Limit, Time, Fault, Unreadable, Changed, Link, Unrecognized, GitLfs, Disguise, Broken, Encrypted, Bomb, Name, ContainerLink, ZipMismatch, ZipFlags, ZipCrc, ZipStray,
        ZipStructure, TorchScript, TorchCode, TorchMember, TorchStorage, TorchTar, NpyObject, NpyStructure, Code, Polyglot,
    ];
}
