using System.Diagnostics;

namespace Temper.Cli.Tests;

/// <summary>The program as a user runs it.</summary>
internal static class CommandLine
{
    private static readonly string s_program = Find();

    public static Process Start(string folder, params string[] arguments)
    {
        var info = new ProcessStartInfo(s_program, arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true, UseShellExecute = false };
        info.Environment["NO_COLOR"] = "1";
        return Process.Start(info)!;
    }

    public static Outcome Run(string folder, params string[] arguments)
    {
        using var process = Start(folder, arguments);
        return End(process);
    }

    /// <summary>The same with lines piped into it.</summary>
    public static Outcome Pipe(string folder, string input, params string[] arguments)
    {
        using var process = Start(folder, arguments);
        process.StandardInput.Write(input);
        process.StandardInput.Close();
        return End(process);
    }

    public static Outcome End(Process process)
    {
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return new(process.ExitCode, output, error.GetAwaiter().GetResult());
    }

    // beside this test's own output, in the same configuration
    private static string Find()
    {
        var here = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar));
        var program = Path.Combine(here.Parent!.Parent!.FullName, "Temper.Cli", here.Name, OperatingSystem.IsWindows() ? "temper.exe" : "temper");
        return File.Exists(program) ? program : throw new FileNotFoundException($"expected the program at {program}");
    }
}

internal sealed record Outcome(int Code, string Output, string Error);
