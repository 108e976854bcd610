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

/// <summary>The memo: an array for the indexes that picklers write, a dictionary for the sparse ones that only attackers do.</summary>
internal sealed class PickleMemo
{
    private const int Slack = 1024;
    private PickleValue[] _dense = new PickleValue[256];
    private bool[] _set = new bool[256];
    private Dictionary<long, PickleValue>? _sparse;

    /// <summary>How many slots are set: the index that MEMOIZE takes next.</summary>
    public int Count { get; private set; }

    public void Put(long index, in PickleValue value)
    {
        if ((ulong)index >= (ulong)_dense.Length)
        {
            if (index < 0 || index > (2L * Count) + Slack)
            {
                _sparse ??= [];
                Count += _sparse.ContainsKey(index) ? 0 : 1;
                _sparse[index] = value;
                return;
            }

            var length = (int)Math.Max(index + 1, _dense.Length * 2L);
            Array.Resize(ref _dense, length);
            Array.Resize(ref _set, length);
        }

        // A slot that was sparse before the array reached it must not be counted twice.
        if (!_set[index])
        {
            _set[index] = true;
            Count += _sparse?.Remove(index) == true ? 0 : 1;
        }

        _dense[index] = value;
    }

    public bool TryGet(long index, out PickleValue value)
    {
        if ((ulong)index < (ulong)_dense.Length && _set[index])
        {
            value = _dense[index];
            return true;
        }

        value = default;
        return _sparse is not null && _sparse.TryGetValue(index, out value);
    }

    public void Clear()
    {
        if (Count > 0)
        {
            Array.Clear(_set);
            _sparse = null;
            Count = 0;
        }
    }
}
