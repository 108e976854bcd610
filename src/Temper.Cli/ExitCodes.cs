namespace Temper.Cli;

/// <summary>What the process returns.</summary>
internal static class ExitCodes
{
    public const int Done = 0;
    public const int Findings = 1;
    public const int Usage = 2;
    public const int Internal = 3;
    public const int Canceled = 130;
}
