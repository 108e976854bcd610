namespace Temper.Scan.Data;

/// <summary>
/// Finds rows that stand twice, and rows that are nearly the same (MinHash with 16 bands of 4 bins). Memory is bounded: exact hashes are kept for the last
/// two million rows or so, signatures for the last quarter million.
/// </summary>
internal sealed class DuplicateIndex
{
    private const int ExactSlots = 1 << 21;
    private const int Ring = 1 << 18;
    private const int Bands = 16;
    private const int PerBand = MinHash.Bins / Bands;
    private const int Chunk = 1 << 12;
    private const double Similar = 0.75;
    private readonly ushort[]?[] _chunks = new ushort[Ring / Chunk][];
    private readonly long[] _rows = new long[Ring];
    private (ulong Hash, long Row)[] _exact = new (ulong, long)[1 << 12];
    // Of each entry 18 bits are the place in the ring and 14 a tag, so that a stranger in the slot is seen without reading its signature; 0 is empty.
    private uint[] _bands = new uint[Bands << 12];
    private int _slots = 1 << 12;
    private long _count;
    private long _added;

    /// <summary>The earlier row with the same text; 0 where there is none.</summary>
    public long Exact(ulong hash, long row)
    {
        if (++_added > _exact.Length / 2 && _exact.Length < ExactSlots)
        {
            var larger = new (ulong, long)[_exact.Length * 4];
            foreach (var old in _exact)
            {
                if (old.Row != 0)
                {
                    larger[Place(old.Hash, larger.Length)] = old;
                }
            }

            _exact = larger;
        }

        ref var slot = ref _exact[Place(hash, _exact.Length)];
        if (slot.Row != 0 && slot.Hash == hash)
        {
            return slot.Row;
        }

        slot = (hash, row);
        return 0;
    }

    /// <summary>An earlier row that is nearly the same; 0 where there is none.</summary>
    public long Near(ushort[] signature, long row)
    {
        Grow();
        var (found, best) = (0L, Similar);
        Span<(int Slot, uint Tag)> places = stackalloc (int, uint)[Bands];
        for (var band = 0; band < Bands; band++)
        {
            places[band] = Place(band, signature);
            var entry = _bands[places[band].Slot];
            if (entry != 0 && (entry & ~(uint)(Ring - 1)) == places[band].Tag && (int)(entry & (Ring - 1)) is var earlier
                && MinHash.Similarity(Signature(earlier), signature) is var similarity && similarity >= best)
            {
                (found, best) = (_rows[earlier], similarity);
            }
        }

        var at = (int)(_count++ % Ring);
        signature.CopyTo(Signature(at));
        _rows[at] = row;
        foreach (var (slot, tag) in places)
        {
            _bands[slot] = tag | (uint)at;
        }

        return found;
    }

    private static int Place(ulong hash, int length) => (int)(Words.Mix(hash, 1) >> 32) & (length - 1);

    private (int Slot, uint Tag) Place(int band, ReadOnlySpan<ushort> signature)
    {
        var hash = (ulong)band;
        foreach (var bin in signature.Slice(band * PerBand, PerBand))
        {
            hash = Words.Mix(hash, bin);
        }

        // The lowest bit of a tag is set, so that no entry is 0.
        return ((band * _slots) + (int)((hash >> 40) & (uint)(_slots - 1)), ((uint)hash | Ring) & ~(uint)(Ring - 1));
    }

    private Span<ushort> Signature(int at) => (_chunks[at / Chunk] ??= new ushort[Chunk * MinHash.Bins]).AsSpan(at % Chunk * MinHash.Bins, MinHash.Bins);

    // A new table is empty; what stands in the old one is put into it again from the signatures.
    private void Grow()
    {
        if (_count < _slots || _slots >= Ring)
        {
            return;
        }

        _slots *= 4;
        _bands = new uint[Bands * _slots];
        for (var at = 0; at < _count; at++)
        {
            var signature = Signature(at);
            for (var band = 0; band < Bands; band++)
            {
                var (slot, tag) = Place(band, signature);
                _bands[slot] = tag | (uint)at;
            }
        }
    }
}
