using System.Buffers;

namespace Temper.Formats.Data;

/// <summary>Cuts a stream into rows without reading what stands in them.</summary>
internal static class RowSplitter
{
    private static readonly SearchValues<byte> Structure = SearchValues.Create("\"{}[],"u8);
    private static readonly SearchValues<byte> InText = SearchValues.Create("\"\\"u8);

    /// <summary>The lines that are not blank; one over the limit is passed over up to its end.</summary>
    public static IEnumerable<RawRow> Lines(RowBuffer buffer, CancellationToken cancellation)
    {
        var number = 0L;
        for (var seen = 0; ;)
        {
            cancellation.ThrowIfCancellationRequested();
            var end = buffer.Span[seen..].IndexOf((byte)'\n');
            if (end < 0 && !buffer.IsFull && !buffer.IsEnd)
            {
                seen = buffer.Span.Length;
                buffer.Fill();
                continue;
            }

            if (end < 0 && buffer.IsFull && !buffer.IsEnd)
            {
                number++;
                var start = buffer.Offset;
                SkipLine(buffer, cancellation);
                yield return TooLong(number, start, buffer.Offset - start);
                seen = 0;
                continue;
            }

            var length = end < 0 ? buffer.Span.Length : seen + end;
            var line = Trim(buffer.Span[..length], out var lead);
            if (line.Length > 0)
            {
                yield return new(++number, buffer.Offset + lead, line.ToArray());
            }

            if (end < 0)
            {
                yield break;
            }

            buffer.Skip(length + 1);
            seen = 0;
        }
    }

    /// <summary>The records of a table: lines, but for those inside quotes.</summary>
    public static IEnumerable<RawRow> Records(RowBuffer buffer, CancellationToken cancellation)
    {
        var number = 0L;
        var (seen, quoted) = (0, false);
        while (true)
        {
            cancellation.ThrowIfCancellationRequested();
            var end = EndOfRecord(buffer.Span, ref seen, ref quoted);
            if (end < 0 && !buffer.IsFull && buffer.Fill())
            {
                continue;
            }

            if (end < 0 && buffer.IsFull && !buffer.IsEnd)
            {
                var start = buffer.Offset;
                SkipLine(buffer, cancellation);
                yield return TooLong(++number, start, buffer.Offset - start);
                (seen, quoted) = (0, false);
                continue;
            }

            var length = end < 0 ? buffer.Span.Length : end;
            var record = buffer.Span[..length].TrimEnd((byte)'\r');
            if (record.Length > 0)
            {
                yield return new(++number, buffer.Offset, record.ToArray());
            }

            if (end < 0)
            {
                yield break;
            }

            buffer.Skip(length + 1);
            (seen, quoted) = (0, false);
        }
    }

    /// <summary>The items of one JSON array.</summary>
    public static IEnumerable<RawRow> Items(RowBuffer buffer, CancellationToken cancellation)
    {
        var number = 0L;
        SkipWhite(buffer);
        buffer.Skip(1);
        while (true)
        {
            cancellation.ThrowIfCancellationRequested();
            SkipWhite(buffer);
            if (buffer.Span.Length == 0)
            {
                yield return Broken(number + 1, buffer.Offset, "the end of the file inside the array");
                yield break;
            }

            if (buffer.Span[0] == ']')
            {
                buffer.Skip(1);
                SkipWhite(buffer);
                if (buffer.Span.Length > 0)
                {
                    yield return Broken(number + 1, buffer.Offset, "bytes after the end of the array");
                }

                yield break;
            }

            var start = buffer.Offset;
            var scan = new ItemScan();
            while (!scan.Advance(buffer.Span) && !buffer.IsFull && buffer.Fill())
            {
                cancellation.ThrowIfCancellationRequested();
            }

            number++;
            if (scan.IsDone)
            {
                yield return new(number, start, Trim(buffer.Span[..scan.At], out _).ToArray());
                buffer.Skip(scan.At);
            }
            else if (buffer.IsFull && !buffer.IsEnd)
            {
                while (!scan.IsDone && buffer.Span.Length > 0)
                {
                    cancellation.ThrowIfCancellationRequested();
                    buffer.Skip(scan.At);
                    scan.At = 0;
                    buffer.Fill();
                    scan.Advance(buffer.Span);
                }

                buffer.Skip(scan.At);
                yield return TooLong(number, start, buffer.Offset - start);
            }
            else
            {
                yield return Broken(number, start, "the end of the file inside a row");
                yield break;
            }

            SkipWhite(buffer);
            if (buffer.Span.Length > 0 && buffer.Span[0] == ',')
            {
                buffer.Skip(1);
            }
            else if (buffer.Span.Length > 0 && buffer.Span[0] != ']')
            {
                yield return Broken(number + 1, buffer.Offset, $"byte 0x{buffer.Span[0]:x2} between two rows, expected ',' or ']'");
                yield break;
            }
        }
    }

    private static int EndOfRecord(ReadOnlySpan<byte> text, ref int seen, ref bool quoted)
    {
        while (seen < text.Length)
        {
            var at = quoted ? text[seen..].IndexOf((byte)'"') : text[seen..].IndexOfAny((byte)'"', (byte)'\n');
            if (at < 0)
            {
                break;
            }

            seen += at + 1;
            if (text[seen - 1] == '\n')
            {
                return seen - 1;
            }

            quoted = !quoted;
        }

        seen = text.Length;
        return -1;
    }

    private static ReadOnlySpan<byte> Trim(ReadOnlySpan<byte> text, out int lead)
    {
        var trimmed = text.TrimStart(" \t\r\n"u8);
        lead = text.Length - trimmed.Length;
        return trimmed.TrimEnd(" \t\r\n"u8);
    }

    private static void SkipLine(RowBuffer buffer, CancellationToken cancellation)
    {
        while (true)
        {
            cancellation.ThrowIfCancellationRequested();
            var end = buffer.Span.IndexOf((byte)'\n');
            buffer.Skip(end < 0 ? buffer.Span.Length : end + 1);
            if (end >= 0 || !buffer.Fill())
            {
                return;
            }
        }
    }

    private static void SkipWhite(RowBuffer buffer)
    {
        do
        {
            var more = buffer.Span.IndexOfAnyExcept(" \t\r\n"u8);
            buffer.Skip(more < 0 ? buffer.Span.Length : more);
        }
        while (buffer.Span.Length == 0 && buffer.Fill());
    }

    private static RawRow TooLong(long number, long offset, long length) => new(number, offset, [], new(DataFlaw.TooLong, "", $"{length} bytes"));

    private static RawRow Broken(long number, long offset, string found) => new(number, offset, [], new(DataFlaw.Broken, "", found));

    // Where a JSON value ends: at a comma or bracket of the array, or where its own bracket closes.
    private struct ItemScan
    {
        private int _depth;
        private bool _inText;
        private bool _escaped;

        public int At { get; set; }

        public bool IsDone { get; private set; }

        public bool Advance(ReadOnlySpan<byte> text)
        {
            while (!IsDone && At < text.Length)
            {
                if (_escaped)
                {
                    // The byte behind a backslash is never an end, even where it is read only now.
                    (At, _escaped) = (At + 1, false);
                    continue;
                }

                var next = text[At..].IndexOfAny(_inText ? InText : Structure);
                if (next < 0)
                {
                    At = text.Length;
                    return false;
                }

                Take(text, At + next);
            }

            return IsDone;
        }

        private void Take(ReadOnlySpan<byte> text, int at)
        {
            var c = text[at];
            At = at + 1;
            if (_inText)
            {
                _inText = c != '"';
                _escaped = c == '\\';
            }
            else if (c == '"')
            {
                _inText = true;
            }
            else if (c is (byte)'{' or (byte)'[')
            {
                _depth++;
            }
            else if (c == ',')
            {
                IsDone = _depth == 0;
                At = IsDone ? at : At;
            }
            else
            {
                _depth--;
                IsDone = _depth <= 0;
                At = _depth < 0 ? at : At;
            }
        }
    }
}
