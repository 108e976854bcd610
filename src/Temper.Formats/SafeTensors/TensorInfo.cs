namespace Temper.Formats.SafeTensors;

/// <summary>One tensor of a file: <paramref name="Offset"/> counts bytes from the start of the file.</summary>
public sealed record TensorInfo(string Name, TensorType Type, IReadOnlyList<long> Shape, long Offset, long Length)
{
    public long ElementCount => Length / Type.Size();
}
