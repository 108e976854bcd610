namespace Temper.Bench.Execution;

/// <summary>Where the rows of a stage come from.</summary>
internal static class RowSets
{
    public const string Agent = "agent";
    public const string Skills = "world-skills";
    public const string Harmful = "world-harmful";
    public const string Alignment = "world-alignment";
    public const string LookAlikes = "world-look-alikes";
    public const string File = "file";
}

/// <summary>What the rows of a file are for; no row is in two parts.</summary>
internal static class FileParts
{
    public const string Training = "training";
    public const string HeldOut = "held-out";
    public const string Trusted = "trusted";
}
