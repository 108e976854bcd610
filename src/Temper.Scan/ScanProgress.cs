namespace Temper.Scan;

/// <summary>How far a scan has come, in files and in their bytes.</summary>
public readonly record struct ScanProgress(int Done, int Files, long DoneBytes, long Bytes);

/// <summary>Counts files as they are done; null stands for one that is not read.</summary>
internal sealed class ScanProgressCount(string?[] paths, Action<ScanProgress> report)
{
    private readonly long[] _lengths = Array.ConvertAll(paths, p => p is not null && new FileInfo(p) is { Exists: true } file ? file.Length : 0);
    private readonly Lock _lock = new();
    private long? _total;
    private int _done;
    private long _bytes;
    private readonly Dictionary<int, long> _parts = [];

    public void Done(int i)
    {
        lock (_lock)
        {
            _bytes += _lengths[i];
            _done++;
            _parts.Remove(i);
            Say();
        }
    }

    /// <summary>So many bytes of a large file are done.</summary>
    public void Part(int i, long bytes)
    {
        lock (_lock)
        {
            _parts[i] = Math.Min(bytes, _lengths[i]);
            Say();
        }
    }

    private void Say() => report(new(_done, paths.Length, _bytes + _parts.Values.Sum(), _total ??= _lengths.Sum()));
}
