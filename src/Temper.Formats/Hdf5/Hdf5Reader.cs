using Temper.Formats.Bytes;

namespace Temper.Formats.Hdf5;

/// <summary>
/// Walks all objects that the root of an HDF5 file leads to, as far as weights go: text attributes, links, where datasets lie and their filters.
/// The data itself is not read. Every structure counts against one budget and is read once, so that loops and overlaps end.
/// </summary>
public sealed partial class Hdf5Reader
{
    private const int MaxSteps = 2_000_000;
    private const int MaxText = 64 << 20;
    private const int MaxFindings = 1000;
    private const int MaxErrors = 50;
    private const long LastSuperblock = 1L << 40;
    private static readonly byte[] Signature = [0x89, (byte)'H', (byte)'D', (byte)'F', 13, 10, 26, 10];
    private readonly ByteSource _source;
    private readonly CancellationToken _cancellation;
    private readonly Queue<(long Address, string Path)> _pending = [];
    private readonly HashSet<long> _seen = [];
    private readonly List<Hdf5Text> _texts = [];
    private readonly List<Hdf5External> _externals = [];
    private readonly List<Hdf5Filter> _filters = [];
    private readonly List<string> _errors = [];
    private Hdf5Layout _layout = new(0, 8, 8);
    private int _steps;
    private long _text;

    private Hdf5Reader(ByteSource source, CancellationToken cancellation) => (_source, _cancellation) = (source, cancellation);

    /// <summary>Whether there is a superblock: at the start, or after a user block of 512 bytes or any power of two above.</summary>
    public static bool Recognize(ByteSource source) => Superblock(source) >= 0;

    /// <summary>What the file holds.</summary>
    public static Hdf5File Read(ByteSource source, CancellationToken cancellation)
    {
        var reader = new Hdf5Reader(source, cancellation);
        reader.Try(Superblock(source), reader.Root);
        while (reader._pending.TryDequeue(out var next) && reader._errors.Count < MaxErrors)
        {
            reader.Try(next.Address, _ => reader.Object(next.Address, next.Path));
        }

        return new(reader._texts, reader._externals, reader._filters, reader._errors);
    }

    private static long Superblock(ByteSource source)
    {
        for (long at = 0; at <= source.Length - Signature.Length && at < LastSuperblock; at = at == 0 ? 512 : at * 2)
        {
            if (source.Span(at, Signature.Length).SequenceEqual(Signature))
            {
                return at;
            }
        }

        return -1;
    }

    private void Try(long at, Action<long> read)
    {
        try
        {
            read(at);
        }
        catch (Hdf5Exception e)
        {
            if (_errors.Count < MaxErrors)
            {
                _errors.Add(e.Message);
            }
        }
    }

    private Hdf5Cursor Cursor(long at)
    {
        _cancellation.ThrowIfCancellationRequested();
        return ++_steps > MaxSteps ? throw new Hdf5Exception(at, $"more than {MaxSteps} structures", "fewer") : new(_source, _layout, at);
    }

    private void Root(long at)
    {
        var cursor = Cursor(at + Signature.Length);
        var version = cursor.Byte();
        if (version > 3)
        {
            throw new Hdf5Exception(at, $"version {version} of the superblock", "0 to 3");
        }

        cursor.Skip(version < 2 ? 4 : 0);
        var (addresses, lengths) = (cursor.Byte(), cursor.Byte());
        if (addresses is not (2 or 4 or 8) || lengths is not (2 or 4 or 8))
        {
            throw new Hdf5Exception(at, $"addresses of {addresses} and lengths of {lengths} bytes", "2, 4 or 8");
        }

        // Addresses count from the superblock, whatever base it states: the library corrects that too.
        _layout = new(at, addresses, lengths);
        cursor = Cursor(cursor.At + (version switch { 0 => 1 + 8, 1 => 1 + 12, _ => 1 }));
        cursor.Skip(version < 2 ? (4 * addresses) + addresses : 3 * addresses);
        if (cursor.Address() is { } root)
        {
            Enqueue(root, "/");
        }
    }

    private void Enqueue(long address, string path)
    {
        if (_seen.Add(address))
        {
            _pending.Enqueue((address, path.Length > 1000 ? path[..1000] : path));
        }
    }

    private void Object(long address, string path)
    {
        var cursor = Cursor(address);
        var chunks = new Queue<(long At, long Length)>();
        var (kind, ordered) = (1, false);
        if (cursor.Take(1)[0] == (byte)'O')
        {
            cursor = Cursor(address);
            cursor.Signature("OHDR"u8);
            cursor.Version(2);
            var flags = cursor.Byte();
            (kind, ordered) = (2, (flags & 4) != 0);
            cursor.Skip(((flags & 0x20) != 0 ? 16 : 0) + ((flags & 0x10) != 0 ? 4 : 0));
            var size = cursor.Number(1 << (flags & 3));
            chunks.Enqueue((cursor.At, size));
        }
        else
        {
            cursor = Cursor(address);
            cursor.Version(1);
            cursor.Skip(7);
            var size = cursor.Word();
            chunks.Enqueue((address + 16, size));
        }

        while (chunks.TryDequeue(out var chunk))
        {
            Messages(chunk.At, chunk.Length, kind, ordered, path, chunks);
        }
    }

    private void Messages(long at, long length, int kind, bool ordered, string path, Queue<(long At, long Length)> chunks)
    {
        Cursor(at).Skip(length);
        var end = at + length;
        var header = kind == 1 ? 8 : ordered ? 6 : 4;
        while (end - at >= header)
        {
            var cursor = Cursor(at);
            var type = kind == 1 ? cursor.Short() : cursor.Byte();
            var size = cursor.Short();
            var flags = cursor.Byte();
            at += header;
            if (size > end - at)
            {
                throw new Hdf5Exception(at, $"a message of {size} bytes", $"one within its {end - at}");
            }

            var (place, shared) = (at, (flags & 2) != 0);
            at += size;
            if (type == 0x10)
            {
                Continue(place, kind, chunks);
            }
            else if (shared && type is 2 or 6 or 7 or 8 or 0xB or 0xC or 0x11 or 0x15)
            {
                _errors.Add($"at byte {place}: found a shared message, expected it in its object");
            }
            else
            {
                Try(place, _ => Message(type, place, size, path));
            }
        }
    }

    private void Continue(long at, int kind, Queue<(long At, long Length)> chunks)
    {
        var cursor = Cursor(at);
        var (chunk, length) = (cursor.Address(), cursor.Length());
        if (chunk is null || !_seen.Add(chunk.Value))
        {
            throw new Hdf5Exception(at, "a header that continues nowhere or in a loop", "its next part");
        }

        if (kind == 2)
        {
            Cursor(chunk.Value).Signature("OCHK"u8);
        }

        chunks.Enqueue(kind == 1 ? (chunk.Value, length) : (chunk.Value + 4, length - 8));
    }

    private void Message(int type, long at, int size, string path)
    {
        switch (type)
        {
            case 2:
                Dense(at, path, skip: 8, Link);
                break;
            case 6:
                Link(at, size, path);
                break;
            case 7:
                Storage(at, path);
                break;
            case 8:
                Layout(at, path);
                break;
            case 0xB:
                Filters(at, path);
                break;
            case 0xC:
                Attribute(at, size, path);
                break;
            case 0x11:
                SymbolTable(at, path);
                break;
            case 0x15:
                Dense(at, path, skip: 2, Attribute);
                break;
        }
    }

    private void Storage(long at, string path)
    {
        var cursor = Cursor(at);
        cursor.Skip(6);
        var used = cursor.Short();
        var heap = cursor.Address();
        for (var i = 0; i < used; i++)
        {
            var name = cursor.Length();
            cursor.Skip(2 * _layout.LengthSize);
            External(path, "external storage", heap is null ? "" : HeapText(heap.Value, name), at);
        }
    }

    private void Layout(long at, string path)
    {
        var cursor = Cursor(at);
        if (cursor.Byte() >= 4 && cursor.Byte() == 3)
        {
            External(path, "virtual dataset", "", at);
        }
    }

    private void External(string path, string kind, string file, long at)
    {
        if (_externals.Count < MaxFindings)
        {
            _externals.Add(new(path, kind, file, at));
        }
    }

    private void Filters(long at, string path)
    {
        var cursor = Cursor(at);
        var (version, count) = (cursor.Byte(), cursor.Byte());
        cursor.Skip(version == 1 ? 6 : 0);
        for (var i = 0; i < count; i++)
        {
            var id = cursor.Short();
            var name = version == 1 || id >= 256 ? cursor.Short() : 0;
            cursor.Skip(2);
            var values = cursor.Short();
            cursor.Skip((version == 1 ? (name + 7) / 8 * 8 : name) + (4L * values) + (version == 1 && values % 2 == 1 ? 4 : 0));
            if (id >= 256 && _filters.Count < MaxFindings)
            {
                _filters.Add(new(path, id, at));
            }
        }
    }
}
