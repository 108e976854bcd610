using System.Buffers.Binary;
using Temper.Scan.Data;

namespace Temper.Scan.Tests.Data;

public sealed class DuplicateIndexTests
{
    [Fact]
    public void Of_more_rows_than_the_index_keeps_the_last_are_found_again_and_the_first_are_not()
    {
        const int More = 40_000;
        var index = new DuplicateIndex();
        for (var row = 1; row <= DuplicateIndex.Ring + More; row++)
        {
            index.Near(Signature(row), row);
        }

        Assert.False(index.IsWhole);
        Assert.Equal(DuplicateIndex.Ring, index.Signatures);
        Assert.All([1, 500, 20_000], row => Assert.Equal(0, index.Near(Signature(row), 1_000_000 + row)));

        // A slot of the tables may have gone to another row, but hardly all sixteen of one.
        Assert.All([More + 100, More + 100_000, DuplicateIndex.Ring + More], row => Assert.Equal(row, index.Near(Signature(row), 2_000_000 + row)));
    }

    [Fact]
    public void A_signature_with_a_quarter_of_its_bins_changed_is_near_and_one_with_more_is_not()
    {
        var index = new DuplicateIndex();
        index.Near(Signature(7), 7);

        Assert.Equal(7, index.Near(Changed(16), 8));
        Assert.Equal(0, new[] { index.Near(Changed(40), 9) }.Count(found => found == 7));

        static byte[] Changed(int bins)
        {
            var changed = Signature(7);
            for (var i = 0; i < bins; i++)
            {
                changed[i] ^= 0x55;
            }

            return changed;
        }
    }

    [Theory]
    [InlineData(1_000)]
    [InlineData(200_000)]
    public void A_copy_is_found_before_and_after_the_table_of_hashes_has_grown(int rows)
    {
        const long First = 60_000_000_000;
        var index = new DuplicateIndex();
        for (var i = 0; i < rows; i++)
        {
            Assert.Equal(0, index.Exact(Hash(i), First + i));
        }

        var found = Enumerable.Range(0, rows).Count(i => index.Exact(Hash(i), First + rows + i) is var earlier && earlier == First + i);

        // Of two hashes of one slot the older is lost; the tables are a tenth and a quarter full.
        Assert.InRange(found, 0.7 * rows, rows);
    }

    private static ulong Hash(int i) => Scan.Data.Words.Mix(0xD1CE, (ulong)i);

    private static byte[] Signature(int row)
    {
        var signature = new byte[MinHash.Bins];
        for (var i = 0; i < MinHash.Bins; i += sizeof(ulong))
        {
            BinaryPrimitives.WriteUInt64LittleEndian(signature.AsSpan(i), Scan.Data.Words.Mix(Scan.Data.Words.Mix(0xABCDEF, (ulong)row), (ulong)i));
        }

        return signature;
    }
}
