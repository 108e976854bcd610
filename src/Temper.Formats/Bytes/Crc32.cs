using System.Buffers.Binary;

namespace Temper.Formats.Bytes;

/// <summary>The CRC-32 of zip and gzip, eight bytes at a time.</summary>
public static class Crc32
{
    private static readonly uint[][] Tables = MakeTables();

    /// <summary>The checksum of <paramref name="data"/>, going on from <paramref name="previous"/>.</summary>
    public static uint Compute(ReadOnlySpan<byte> data, uint previous = 0)
    {
        var crc = ~previous;
        var (t0, t1, t2, t3, t4, t5, t6, t7) = (Tables[0], Tables[1], Tables[2], Tables[3], Tables[4], Tables[5], Tables[6], Tables[7]);
        while (data.Length >= 8)
        {
            var low = BinaryPrimitives.ReadUInt32LittleEndian(data) ^ crc;
            var high = BinaryPrimitives.ReadUInt32LittleEndian(data[4..]);
            crc = t7[low & 0xFF] ^ t6[(low >> 8) & 0xFF] ^ t5[(low >> 16) & 0xFF] ^ t4[low >> 24]
                ^ t3[high & 0xFF] ^ t2[(high >> 8) & 0xFF] ^ t1[(high >> 16) & 0xFF] ^ t0[high >> 24];
            data = data[8..];
        }

        foreach (var b in data)
        {
            crc = t0[(crc ^ b) & 0xFF] ^ (crc >> 8);
        }

        return ~crc;
    }

    private static uint[][] MakeTables()
    {
        var tables = new uint[8][];
        for (var t = 0; t < 8; t++)
        {
            tables[t] = new uint[256];
            for (uint i = 0; i < 256; i++)
            {
                var value = t == 0 ? i : tables[t - 1][i];
                if (t == 0)
                {
                    for (var bit = 0; bit < 8; bit++)
                    {
                        value = (value & 1) == 0 ? value >> 1 : (value >> 1) ^ 0xEDB88320;
                    }

                    tables[0][i] = value;
                }
                else
                {
                    tables[t][i] = tables[0][value & 0xFF] ^ (value >> 8);
                }
            }
        }

        return tables;
    }
}
