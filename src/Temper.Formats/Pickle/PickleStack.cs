using System.Runtime.CompilerServices;

namespace Temper.Formats.Pickle;

/// <summary>The machine's stack: a growing array whose popped values are not cleared, since the next push overwrites them.</summary>
internal sealed class PickleStack
{
    private PickleValue[] _items = new PickleValue[256];

    public int Count { get; private set; }

    public PickleValue this[int index] => _items[index];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(in PickleValue value)
    {
        if (Count == _items.Length)
        {
            Array.Resize(ref _items, Count * 2);
        }

        _items[Count++] = value;
    }

    public ref readonly PickleValue Pop() => ref _items[--Count];

    public ref readonly PickleValue Top() => ref _items[Count - 1];

    public void CutTo(int count) => Count = count;

    public void Clear() => Count = 0;

    public ReadOnlySpan<PickleValue> From(int start, int count) => _items.AsSpan(start, count);
}

/// <summary>The memo: segments for the indexes that picklers write, which are never copied to grow; a dictionary for the sparse ones that only attackers do.</summary>
internal sealed class PickleMemo
{
    private const int Slack = 1024;
    private const int SegmentBits = 14;
    private readonly List<PickleValue[]> _segments = [];
    private Dictionary<long, PickleValue>? _sparse;
    private long _used;

    /// <summary>How many slots are set: the index that MEMOIZE takes next.</summary>
    public int Count { get; private set; }

    public void Put(long index, in PickleValue value)
    {
        if (index >= _used)
        {
            if (index > (2L * Count) + Slack)
            {
                _sparse ??= [];
                Count += _sparse.ContainsKey(index) ? 0 : 1;
                _sparse[index] = value;
                return;
            }

            Grow(index);
        }

        ref var slot = ref _segments[(int)(index >> SegmentBits)][index & ((1 << SegmentBits) - 1)];
        if (slot.Kind == PickleKind.None)
        {
            // A slot that was sparse before the segments reached it must not be counted twice.
            Count += _sparse?.Remove(index) == true ? 0 : 1;
        }

        slot = value;
    }

    public bool TryGet(long index, out PickleValue value)
    {
        if ((ulong)index < (ulong)_used && _segments[(int)(index >> SegmentBits)][index & ((1 << SegmentBits) - 1)] is { Kind: not PickleKind.None } found)
        {
            value = found;
            return true;
        }

        value = default;
        return _sparse is not null && _sparse.TryGetValue(index, out value);
    }

    public void Clear()
    {
        if (Count > 0)
        {
            for (var i = 0; i << SegmentBits < _used; i++)
            {
                _segments[i].AsSpan(0, (int)Math.Min(_segments[i].Length, _used - ((long)i << SegmentBits))).Clear();
            }

            _sparse = null;
            (Count, _used) = (0, 0);
        }
    }

    private void Grow(long index)
    {
        if (_segments.Count == 0)
        {
            _segments.Add(new PickleValue[256]);
        }

        if (index >= _segments[0].Length && _segments[0].Length < 1 << SegmentBits)
        {
            // Most pickles are small: their one segment starts short.
            var first = _segments[0];
            Array.Resize(ref first, (int)Math.Min(1 << SegmentBits, Math.Max(index + 1, first.Length * 2)));
            _segments[0] = first;
        }

        while (_segments.Count <= index >> SegmentBits)
        {
            _segments.Add(new PickleValue[1 << SegmentBits]);
        }

        _used = index + 1;
    }
}
