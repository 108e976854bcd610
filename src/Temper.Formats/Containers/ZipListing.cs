namespace Temper.Formats.Containers;

/// <summary>One member as the central directory or, where <paramref name="Listed"/> is false, only a local header tells it.</summary>
public sealed record ZipMember(
    string Name, int Method, int Flags, uint Crc, long PackedLength, long Length, long HeaderOffset, long DataOffset, bool IsLink, bool Listed)
{
    /// <summary>Whether the content is encrypted.</summary>
    public bool IsEncrypted => (Flags & 0x41) != 0;
}

/// <summary>What readers of zip files disagree about, or what no honest writer produces.</summary>
public enum ZipAnomaly
{
    /// <summary>The local header names another member than the central directory.</summary>
    NameMismatch,

    /// <summary>Flags by which some readers refuse a member that others read.</summary>
    Flags,

    /// <summary>Local and central checksum, size or method differ.</summary>
    HeaderMismatch,

    /// <summary>Two members of one name, or of names that differ only by case.</summary>
    DuplicateName,

    /// <summary>A name that leaves the archive's folder.</summary>
    EscapingName,

    /// <summary>A symbolic link.</summary>
    Link,

    /// <summary>Bytes before the first member.</summary>
    Prefix,

    /// <summary>Bytes after the end of the archive.</summary>
    Suffix,

    /// <summary>Bytes between members that belong to none.</summary>
    Gap,

    /// <summary>Two members that share bytes.</summary>
    Overlap,

    /// <summary>A member that unpacks to far more than it holds.</summary>
    Bomb,

    /// <summary>A local member that the central directory does not list.</summary>
    HiddenMember,

    /// <summary>Sizes or offsets that cannot be true.</summary>
    LyingSizes,

    /// <summary>No central directory, or a broken one.</summary>
    BrokenDirectory,

    /// <summary>More members than the limit.</summary>
    TooManyMembers,
}

/// <summary>One anomaly and where it stands.</summary>
public sealed record ZipDefect(ZipAnomaly Kind, long Offset, string Member, string Detail);

/// <summary>The members and anomalies of a zip file.</summary>
public sealed record ZipListing(IReadOnlyList<ZipMember> Members, IReadOnlyList<ZipDefect> Defects, long Start);
