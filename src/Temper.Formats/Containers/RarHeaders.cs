using Temper.Formats.Bytes;

namespace Temper.Formats.Containers;

/// <summary>Walks the headers of a RAR 5 archive for the dictionaries that its members ask for, which a decoder makes room for before it has read a byte.</summary>
internal static class RarHeaders
{
    private const int Signature = 8;
    private const int LongestHeader = 1 << 21;
    private const int FileHeader = 2;
    private const int ServiceHeader = 3;
    private const int SmallestDictionary = 1 << 17;
    private static readonly byte[] Version5 = [0x52, 0x61, 0x72, 0x21, 0x1a, 7, 1, 0];

    /// <summary>Whether any member asks for a larger dictionary than <paramref name="most"/>; where the headers end to make sense, so does the walk.</summary>
    public static bool AskForMore(ByteSource source, long most)
    {
        if (!source.Head(Signature).SequenceEqual(Version5))
        {
            return false;
        }

        for (long at = Signature; at >= 0 && at < source.Length - 5;)
        {
            var reader = new Reader(source, at + 4);
            var size = reader.Number();
            var end = reader.At + size;
            if (size is <= 0 or > LongestHeader || end > source.Length)
            {
                return false;
            }

            var (type, flags) = (reader.Number(), reader.Number());
            _ = (flags & 1) != 0 ? reader.Number() : 0;
            var data = (flags & 2) != 0 ? reader.Number() : 0;
            if (type is FileHeader or ServiceHeader && Dictionary(ref reader) > most)
            {
                return true;
            }

            if (data < 0 || data > source.Length - end)
            {
                return false;
            }

            at = end + data;
        }

        return false;
    }

    private static long Dictionary(ref Reader reader)
    {
        var flags = reader.Number();
        _ = (reader.Number(), reader.Number());
        reader.At += ((flags & 2) != 0 ? 4 : 0) + ((flags & 4) != 0 ? 4 : 0);
        var compression = reader.Number();
        return (long)SmallestDictionary << (int)((compression >> 10) & 31);
    }

    // Seven bits a byte, lowest first, as long as the high bit is set.
    private struct Reader(ByteSource source, long at)
    {
        public long At { get; set; } = at;

        public long Number()
        {
            long value = 0;
            for (var shift = 0; shift < 63 && At >= 0 && At < source.Length; shift += 7)
            {
                var b = source.Span(At++, 1)[0];
                value |= (long)(b & 0x7F) << shift;
                if (b < 0x80)
                {
                    break;
                }
            }

            return value;
        }
    }
}
