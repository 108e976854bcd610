using Temper.Scan;

namespace Temper.Cli.Commands;

/// <summary>One line on standard error for a scan that lasts: rewritten in a terminal after a second, repeated every ten seconds in a pipe.</summary>
internal sealed class ScanProgressLine : IDisposable
{
    // A small file takes about as long as this many bytes of a large one.
    private const long BytesPerFile = 64 << 10;

    private readonly bool _isTerminal = !Console.IsErrorRedirected && Environment.GetEnvironmentVariable("TERM") is not (null or "" or "dumb");
    private readonly long _start = TimeProvider.System.GetTimestamp();
    private readonly Lock _lock = new();
    private readonly Timer _timer;
    private ScanProgress _at;
    private TimeSpan _since;
    private bool _isShown;
    private bool _isOver;

    public ScanProgressLine() =>
        _timer = new(_ => Show(), null, TimeSpan.FromSeconds(_isTerminal ? 1 : 10), TimeSpan.FromSeconds(_isTerminal ? 0.25 : 10));

    public void Report(ScanProgress progress)
    {
        lock (_lock)
        {
            (_at, _since) = (progress, TimeProvider.System.GetElapsedTime(_start));
        }
    }

    public void Dispose()
    {
        _timer.Dispose();
        lock (_lock)
        {
            _isOver = true;
            if (_isShown && _isTerminal)
            {
                Console.Error.Write("\r\u001b[K");
            }
        }
    }

    // What is left is foretold at the last file's end and then counted down.
    private static string Text(ScanProgress at, TimeSpan since, TimeSpan now)
    {
        if (at.Files == 0)
        {
            return "scanning";
        }

        var share = (at.DoneBytes + (BytesPerFile * at.Done)) / (double)(at.Bytes + (BytesPerFile * at.Files));
        var left = TimeSpan.FromSeconds(Math.Max(1, ((since * ((1 - share) / share)) - (now - since)).TotalSeconds));
        return at.Done == at.Files
            ? $"scanned {at.Done} files, comparing them"
            : $"scanning: {at.Done} of {at.Files} files, {Math.Floor(100 * share):0} %, {(left.TotalMinutes >= 1 ? $"{(int)left.TotalMinutes} min {left.Seconds} s" : $"{Math.Ceiling(left.TotalSeconds):0} s")} left";
    }

    private void Show()
    {
        lock (_lock)
        {
            if (_isOver)
            {
                return;
            }

            _isShown = true;
            var text = Text(_at, _since, TimeProvider.System.GetElapsedTime(_start));
            Console.Error.Write(_isTerminal ? $"\r{text}\u001b[K" : $"{text}\n");
        }
    }
}
