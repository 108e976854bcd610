namespace Temper.Cli;

/// <summary>Commands that leave nothing behind when they are stopped.</summary>
internal static class Interruptible
{
    public static int Run(Func<int> work)
    {
        try
        {
            return work();
        }
        catch (OperationCanceledException)
        {
            Console.Error.WriteLine("temper: canceled; nothing was written");
            return ExitCodes.Canceled;
        }
    }
}
