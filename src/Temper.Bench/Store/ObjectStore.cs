using Temper.Core;

namespace Temper.Bench.Store;

/// <summary>Stage outputs as folders named by their key. A folder is written aside, flushed and renamed: what can be seen is whole.</summary>
public sealed class ObjectStore
{
    private readonly string _objects;
    private readonly string _aside;

    public ObjectStore(string root)
    {
        Root = Path.GetFullPath(root);
        (_objects, _aside) = (Path.Combine(Root, "objects"), Path.Combine(Root, "aside"));
        Guard(() =>
        {
            Directory.CreateDirectory(_objects);
            Directory.CreateDirectory(_aside);
            var probe = Path.Combine(_aside, $"probe-{Guid.NewGuid():N}");
            File.WriteAllText(probe, "");
            File.Delete(probe);
            return true;
        });
    }

    public string Root { get; }

    /// <summary>Where the output of a finished stage lies.</summary>
    public string Folder(string key) => Path.Combine(_objects, key[..2], key);

    public bool Has(string key) => Directory.Exists(Folder(key));

    /// <summary>Computes the output of a stage; returns at once if it is there.</summary>
    public void Write(string key, Action<string> write)
    {
        if (Has(key))
        {
            return;
        }

        var aside = Path.Combine(_aside, $"{key[..12]}-{Environment.ProcessId}-{Guid.NewGuid():N}");
        try
        {
            Guard(() =>
            {
                Directory.CreateDirectory(aside);
                write(aside);
                Flush(aside);
                Directory.CreateDirectory(Path.GetDirectoryName(Folder(key))!);
                if (!Has(key))
                {
                    Directory.Move(aside, Folder(key));
                }

                return true;
            });
        }
        finally
        {
            Remove(aside);
        }
    }

    /// <summary>Takes away what dead workers left half-written. Only for a store that nobody else works on, or for the worker of that id.</summary>
    public void Sweep(Func<int, bool> isAlive)
    {
        foreach (var folder in Directory.GetDirectories(_aside))
        {
            var parts = Path.GetFileName(folder).Split('-');
            if (parts.Length == 3 && int.TryParse(parts[1], out var process) && !isAlive(process))
            {
                Remove(folder);
            }
        }
    }

    /// <summary>Runs something that touches the store; what the file system refuses becomes a <see cref="StoreException"/>.</summary>
    private T Guard<T>(Func<T> touch)
    {
        try
        {
            return touch();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StoreException($"{Root}: found {e.Message}, expected a store that can be written and has room", e);
        }
    }

    private static void Flush(string folder)
    {
        foreach (var path in Directory.GetFiles(folder, "*", SearchOption.AllDirectories))
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite);
            file.Flush(flushToDisk: true);
        }
    }

    private static void Remove(string folder)
    {
        try
        {
            if (Directory.Exists(folder))
            {
                Directory.Delete(folder, recursive: true);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // the next sweep takes it
        }
    }
}

/// <summary>The store itself cannot be used: no stage is at fault, and the study stops.</summary>
public sealed class StoreException(string message, Exception? inner = null) : Exception(message, inner);
