namespace Temper.Bench.Execution;

/// <summary>Where the rows of a stage come from.</summary>
internal static class RowSets
{
    public const string Skills = "world-skills";
    public const string Harmful = "world-harmful";
    public const string Alignment = "world-alignment";
    public const string File = "file";
}
