namespace Temper.Formats.Containers;

/// <summary>Names of archive members, judged as paths without being used as such.</summary>
public static class ArchiveNames
{
    /// <summary>Whether unpacking the name could write outside the target folder, on any system.</summary>
    public static bool Escapes(string name) =>
        name.StartsWith('/') || name.StartsWith('\\') || name.Contains('\0', StringComparison.Ordinal)
        || (name.Length > 1 && name[1] == ':' && char.IsAsciiLetter(name[0])) || name.Split('/', '\\').Contains("..");
}
