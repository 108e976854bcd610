using System.Buffers.Binary;
using K4os.Compression.LZ4;

namespace Temper.Formats.Containers;

/// <summary>Reads the LZ4 frame format; checksums are not verified, since what a loader would see is what is wanted.</summary>
internal sealed class Lz4FrameStream : Stream
{
    private const int Window = 1 << 16;
    private readonly Stream _input;
    private readonly bool _blockChecksum;
    private readonly int _blockSize;
    private readonly byte[] _packed;
    private readonly byte[] _output;
    private int _from = Window;
    private int _to = Window;
    private bool _ended;

    public Lz4FrameStream(Stream input)
    {
        _input = input;
        Span<byte> head = stackalloc byte[6];
        input.ReadExactly(head);
        var (flags, size) = (head[4], (head[5] >> 4) & 7);
        if (flags >> 6 != 1 || size < 4)
        {
            throw new InvalidDataException($"found LZ4 flags {flags:x2} and block size {size}, expected version 1 and a size of 4 to 7");
        }

        _blockChecksum = (flags & 0x10) != 0;
        Span<byte> rest = stackalloc byte[13];
        input.ReadExactly(rest[..(1 + ((flags & 8) != 0 ? 8 : 0) + ((flags & 1) != 0 ? 4 : 0))]);
        _blockSize = 1 << (8 + (2 * size));
        _packed = new byte[_blockSize];
        _output = new byte[Window + _blockSize];
    }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override int Read(byte[] buffer, int offset, int count)
    {
        while (_from == _to && !_ended)
        {
            NextBlock();
        }

        var n = Math.Min(count, _to - _from);
        _output.AsSpan(_from, n).CopyTo(buffer.AsSpan(offset, n));
        _from += n;
        return n;
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    private void NextBlock()
    {
        Span<byte> word = stackalloc byte[4];
        _input.ReadExactly(word);
        var size = BinaryPrimitives.ReadUInt32LittleEndian(word);
        if (size == 0)
        {
            _ended = true;
            return;
        }

        var length = (int)(size & 0x7FFF_FFFF);
        if (length > _blockSize)
        {
            throw new InvalidDataException($"found an LZ4 block of {length} bytes, expected at most {_blockSize}");
        }

        _input.ReadExactly(_packed, 0, length);
        if (_blockChecksum)
        {
            _input.ReadExactly(word);
        }

        // The 64 KiB before the block are the window that linked blocks refer to.
        var kept = _to - Window;
        if (kept > 0)
        {
            _output.AsSpan(_to - Window, Window).CopyTo(_output);
        }

        var made = length;
        if ((size & 0x8000_0000) != 0)
        {
            _packed.AsSpan(0, length).CopyTo(_output.AsSpan(Window));
        }
        else
        {
            made = LZ4Codec.Decode(_packed, 0, length, _output, Window, _blockSize, _output, 0, Window);
        }

        if (made < 0)
        {
            throw new InvalidDataException("found a broken LZ4 block, expected one that fills its size");
        }

        (_from, _to) = (Window, Window + made);
    }
}
