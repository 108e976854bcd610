using System.Buffers.Binary;

namespace Temper.Scan.Data;

/// <summary>
/// Finds rows that stand twice, and rows that are nearly the same (MinHash with 16 bands of 4 bins). Memory is bounded at 50 MiB: exact hashes are kept for the last
/// two million rows or so, signatures for the last quarter million.
/// </summary>
internal sealed class DuplicateIndex
{
    /// <summary>Rows whose hashes are kept; a newer one takes the slot of an older one.</summary>
    public const int ExactSlots = 1 << 21;

    /// <summary>Rows whose signatures are kept; a newer one takes the place of the oldest.</summary>
    public const int Ring = 1 << 18;

    // Of each entry 36 bits are the row's number and 28 of its hash, beside those that the slot says.
    private const int RowBits = 36;
    private const ulong RowMask = (1UL << RowBits) - 1;
    private const int FewSlots = 1 << 12;
    private const int Bands = 16;
    private const int PerBand = MinHash.Bins / Bands;
    private const int Chunk = 1 << 12;
    private const double Similar = 0.75;
    private readonly byte[]?[] _chunks = new byte[Ring / Chunk][];
    private readonly long[] _rows = new long[Ring];
    private (ulong Mixed, long Row)[]? _few = new (ulong, long)[FewSlots];
    private ulong[] _exact = [];
    // Of each entry 18 bits are the place in the ring and 14 a tag, so that a stranger in the slot is seen without reading its signature; 0 is empty.
    private uint[] _bands = new uint[Bands << 12];
    private int _slots = 1 << 12;
    private long _count;
    private long _added;

    /// <summary>Rows whose signatures are kept.</summary>
    public long Signatures => Math.Min(_count, Ring);

    /// <summary>Whether signatures of all rows are kept. Of the hashes some are lost before that to others of the same slot.</summary>
    public bool IsWhole => _count <= Ring;

    /// <summary>The earlier row with the same text; 0 where there is none.</summary>
    public long Exact(ulong hash, long row)
    {
        var mixed = Words.Mix(hash, 1);
        if (_few is not null)
        {
            if (++_added > FewSlots / 2)
            {
                Pack();
            }
            else
            {
                ref var known = ref _few[(int)(mixed & (FewSlots - 1))];
                if (known.Row != 0 && known.Mixed == mixed)
                {
                    return known.Row;
                }

                known = (mixed, row);
                return 0;
            }
        }

        ref var slot = ref _exact[(int)(mixed & (ExactSlots - 1))];
        if (slot != 0 && (slot ^ mixed) >> RowBits == 0)
        {
            return (long)(slot & RowMask);
        }

        slot = Packed(mixed, row);
        return 0;
    }

    /// <summary>An earlier row that is nearly the same; 0 where there is none.</summary>
    public long Near(byte[] signature, long row)
    {
        Grow();
        var (found, best) = (0L, Similar);
        Span<(int Slot, uint Tag)> places = stackalloc (int, uint)[Bands];
        for (var band = 0; band < Bands; band++)
        {
            places[band] = Place(band, signature);
        }

        // By themselves, so that the processor waits for all sixteen places of memory at once.
        for (var band = 0; band < Bands; band++)
        {
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

    private static ulong Packed(ulong mixed, long row) => (mixed & ~RowMask) | ((ulong)row & RowMask);

    // Most data sets are small and never need the large table.
    private void Pack()
    {
        _exact = new ulong[ExactSlots];
        foreach (var (mixed, row) in _few!)
        {
            if (row != 0)
            {
                _exact[(int)(mixed & (ExactSlots - 1))] = Packed(mixed, row);
            }
        }

        _few = null;
    }

    private (int Slot, uint Tag) Place(int band, ReadOnlySpan<byte> signature)
    {
        var bins = BinaryPrimitives.ReadUInt32LittleEndian(signature.Slice(band * PerBand, PerBand));
        var hash = Words.Mix(Words.Mix(0, (ulong)band), bins);

        // The lowest bit of a tag is set, so that no entry is 0.
        return ((band * _slots) + (int)((hash >> 40) & (uint)(_slots - 1)), ((uint)hash | Ring) & ~(uint)(Ring - 1));
    }

    private Span<byte> Signature(int at) => (_chunks[at / Chunk] ??= new byte[Chunk * MinHash.Bins]).AsSpan(at % Chunk * MinHash.Bins, MinHash.Bins);

    // A new table is empty; what stands in the old one is put into it again from the signatures.
    private void Grow()
    {
        if (_count < _slots || _slots >= Ring)
        {
            return;
        }

        _slots *= 8;
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
