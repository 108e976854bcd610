using System.Numerics;

namespace Temper.Formats.Hdf5;

// Groups of many links and objects of many attributes keep them in a fractal heap, found through a B-tree of version 2.
public sealed partial class Hdf5Reader
{
    private delegate void Entry(long at, int size, string path);

    private void Dense(long at, string path, int skip, Entry read)
    {
        var cursor = Cursor(at);
        cursor.Version(0);
        cursor.Skip((cursor.Byte() & 1) != 0 ? skip : 0);
        if (cursor.Address() is not { } heapAt || cursor.Address() is not { } tree)
        {
            return;
        }

        var heap = FractalHeap(heapAt);
        Records(tree, (record, type) => Try(record, _ =>
        {
            // Type 5 has a hash before the entry's id, type 8 has the id first.
            var (offset, size) = Find(heap, type == 5 ? record + 4 : record);
            read(offset, (int)Math.Min(size, int.MaxValue), path);
        }));
    }

    private void Records(long at, Action<long, int> use)
    {
        var cursor = Cursor(at);
        cursor.Signature("BTHD"u8);
        cursor.Version(0);
        var type = cursor.Byte();
        var nodeSize = cursor.Word();
        var (recordSize, depth) = (cursor.Short(), cursor.Short());
        cursor.Skip(2);
        if (recordSize == 0 || nodeSize < 10 + recordSize || depth > 20)
        {
            throw new Hdf5Exception(at, $"a tree of depth {depth} with records of {recordSize} in nodes of {nodeSize} bytes", "one that can be");
        }

        if (cursor.Address() is { } root)
        {
            Node(root, cursor.Short(), depth, type, recordSize, PointerSizes(nodeSize, recordSize, depth), use);
        }
    }

    // For each depth the bytes of "records in the child" and of "records below the child"; they follow from how many fit.
    private (int Own, int[] Below) PointerSizes(long nodeSize, int recordSize, int depth)
    {
        var most = (nodeSize - 10) / recordSize;
        var own = Bytes((ulong)most);
        var below = new int[depth + 1];
        var all = (UInt128)most;
        for (var level = 1; level <= depth; level++)
        {
            var pointer = _layout.AddressSize + own + below[level - 1];
            var fit = Math.Max(0, (nodeSize - (10 + pointer)) / (recordSize + pointer));
            all = UInt128.Min((((UInt128)fit + 1) * all) + (UInt128)fit, ulong.MaxValue);
            below[level] = Bytes((ulong)all);
        }

        return (own, below);

        static int Bytes(ulong most) => most == 0 ? 1 : (BitOperations.Log2(most) / 8) + 1;
    }

    private void Node(long at, long records, int depth, int type, int recordSize, (int Own, int[] Below) sizes, Action<long, int> use)
    {
        if (!_seen.Add(at))
        {
            throw new Hdf5Exception(at, "a loop in a tree", "each node once");
        }

        var cursor = Cursor(at);
        cursor.Signature(depth == 0 ? "BTLF"u8 : "BTIN"u8);
        cursor.Version(0);
        cursor.Skip(1);
        for (long i = 0; i < records; i++)
        {
            var record = cursor.At;
            cursor.Skip(recordSize);
            use(record, type);
        }

        for (long i = 0; depth > 0 && i <= records; i++)
        {
            var child = cursor.Address();
            var count = cursor.Number(sizes.Own);
            cursor.Skip(depth > 1 ? sizes.Below[depth - 1] : 0);
            if (child is { } next)
            {
                Node(next, count, depth - 1, type, recordSize, sizes, use);
            }
        }
    }

    private Heap FractalHeap(long at)
    {
        var cursor = Cursor(at);
        cursor.Signature("FRHP"u8);
        cursor.Version(0);
        cursor.Skip(2);
        if (cursor.Short() != 0)
        {
            throw new Hdf5Exception(at, "a filter on links or attributes", "none");
        }

        cursor.Skip(1);
        var largest = cursor.Word();
        cursor.Skip(_layout.LengthSize);
        var huge = cursor.Address();
        cursor.Skip(_layout.AddressSize + (9L * _layout.LengthSize));
        var width = cursor.Short();
        var (first, most) = (cursor.Length(), cursor.Length());
        var bits = cursor.Short();
        cursor.Skip(2);
        var root = cursor.Address();
        var rows = cursor.Short();
        if (width == 0 || first <= 0 || most < first || bits is 0 or > 64 || largest <= 0)
        {
            throw new Hdf5Exception(at, $"a heap of {width} blocks of {first} to {most} bytes", "one that can be");
        }

        var far = new Dictionary<long, (long, long)>();
        if (huge is { } tree)
        {
            Records(tree, (record, type) =>
            {
                var entry = Cursor(record);
                if (type == 1 && entry.Address() is { } place)
                {
                    var size = entry.Length();
                    far[entry.Length()] = (place, size);
                }
            });
        }

        return new(root, rows, width, first, most, bits, largest, far);
    }

    // Where the object lies whose id stands at a place.
    private (long Offset, long Size) Find(Heap heap, long id)
    {
        var cursor = Cursor(id);
        var kind = cursor.Byte();
        switch ((kind >> 4) & 3)
        {
            case 0:
                var offset = cursor.Number((heap.Bits + 7) / 8);
                var size = cursor.Number(Math.Min((BitOperations.Log2((ulong)heap.Most) + 7) / 8, (BitOperations.Log2((ulong)heap.Largest) / 8) + 1));
                return (Managed(heap, id, offset), size);
            case 1 when heap.Far.TryGetValue(cursor.Length(), out var far):
                return far;
            case 2:
                return (cursor.At, (kind & 15) + 1);
            default:
                throw new Hdf5Exception(id, "an object that is nowhere", "one in its heap");
        }
    }

    // The heap's blocks double row by row: a row of the first size, another, one of twice the size, and so on; blocks above the largest are tables again.
    private long Managed(Heap heap, long id, long offset)
    {
        var (block, rows) = (heap.Root, heap.Rows);
        for (var depth = 0; depth < 64 && block is { } at && rows > 0; depth++)
        {
            var (row, start, size) = (0, 0L, heap.First);
            while (offset - start >= size * heap.Width && row < rows)
            {
                start += size * heap.Width;
                size = row++ == 0 ? size : size * 2;
                if (size <= 0 || size > long.MaxValue / heap.Width || start < 0)
                {
                    throw new Hdf5Exception(id, $"an object at {offset} of its heap", "one that the heap has room for");
                }
            }

            if (offset < 0 || row >= rows)
            {
                throw new Hdf5Exception(id, $"an object at {offset} of its heap", "one that the heap has room for");
            }

            var column = (offset - start) / size;
            var cursor = Cursor(at);
            cursor.Signature("FHIB"u8);
            cursor.Version(0);
            cursor.Skip(_layout.AddressSize + ((heap.Bits + 7) / 8) + (((row * (long)heap.Width) + column) * _layout.AddressSize));
            block = cursor.Address();
            offset -= start + (column * size);
            rows = size <= heap.Most ? 0 : BitOperations.Log2((ulong)size) - BitOperations.Log2((ulong)(heap.First * heap.Width)) + 1;
        }

        if (block is not { } found || offset < 0)
        {
            throw new Hdf5Exception(id, "an object in a block that is not there", "one in its heap");
        }

        Cursor(found).Signature("FHDB"u8);
        return found + offset;
    }

    private sealed record Heap(long? Root, int Rows, int Width, long First, long Most, int Bits, long Largest, Dictionary<long, (long Offset, long Size)> Far);
}
