using System.Text;

namespace Temper.Formats.Hdf5;

// Links of groups: in symbol tables, in messages of the object, or in a heap of their own.
public sealed partial class Hdf5Reader
{
    private void Link(long at, int size, string path)
    {
        var cursor = Cursor(at);
        cursor.Version(1);
        var flags = cursor.Byte();
        var type = (flags & 8) != 0 ? cursor.Byte() : 0;
        cursor.Skip(((flags & 4) != 0 ? 8 : 0) + ((flags & 0x10) != 0 ? 1 : 0));
        var name = Encoding.UTF8.GetString(cursor.Take(Math.Min(cursor.Number(1 << (flags & 3)), size)));
        switch (type)
        {
            case 0 when cursor.Address() is { } target:
                Enqueue(target, Join(path, name));
                break;
            case 64:
                var value = cursor.Take(cursor.Short());
                External(Join(path, name), "link", value.Length > 1 ? Text(value[1..]) : "", at);
                break;
            case > 64:
                External(Join(path, name), "user-defined link", "", at);
                break;
        }
    }

    private void SymbolTable(long at, string path)
    {
        var cursor = Cursor(at);
        if (cursor.Address() is { } tree && cursor.Address() is { } heap)
        {
            Tree(tree, heap, path, 0);
        }
    }

    private void Tree(long at, long heap, string path, int depth)
    {
        if (depth > 20 || !_seen.Add(at))
        {
            throw new Hdf5Exception(at, "a loop in a tree", "each node once");
        }

        var cursor = Cursor(at);
        cursor.Signature("TREE"u8);
        cursor.Version(0);
        var (level, used) = (cursor.Byte(), cursor.Short());
        cursor.Skip(2 * _layout.AddressSize);
        for (var i = 0; i < used; i++)
        {
            cursor.Skip(_layout.LengthSize);
            if (cursor.Address() is not { } child)
            {
                continue;
            }

            if (level > 0)
            {
                Tree(child, heap, path, depth + 1);
            }
            else
            {
                Symbols(child, heap, path);
            }
        }
    }

    private void Symbols(long at, long heap, string path)
    {
        if (!_seen.Add(at))
        {
            throw new Hdf5Exception(at, "a loop in a tree", "each node once");
        }

        var cursor = Cursor(at);
        cursor.Signature("SNOD"u8);
        cursor.Version(1);
        cursor.Skip(1);
        var count = cursor.Short();
        for (var i = 0; i < count; i++)
        {
            var name = cursor.Number(_layout.AddressSize);
            var target = cursor.Address();
            var cached = cursor.Word();
            cursor.Skip(20);
            // Kind 2 is a soft link, which stays in this file or leads to an external one that is met by itself.
            if (cached != 2 && target is { } address)
            {
                Enqueue(address, Join(path, HeapText(heap, name)));
            }
        }
    }

    private static string Join(string path, string name) => path == "/" ? $"/{name}" : $"{path}/{name}";

    private string HeapText(long heap, long offset)
    {
        var cursor = Cursor(heap);
        cursor.Signature("HEAP"u8);
        cursor.Version(0);
        cursor.Skip(3);
        var size = cursor.Length();
        cursor.Skip(_layout.LengthSize);
        if (cursor.Address() is not { } data || offset < 0 || offset >= size)
        {
            throw new Hdf5Exception(heap, $"a name at {offset} of a heap", $"one within its {size} bytes");
        }

        cursor = Cursor(data + offset);
        return Text(cursor.Take(Math.Min(Math.Min(4096, size - offset), _source.Length - (data + offset))));
    }

    // Up to the first zero.
    private static string Text(ReadOnlySpan<byte> bytes)
    {
        var end = bytes.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? bytes : bytes[..end]);
    }
}
