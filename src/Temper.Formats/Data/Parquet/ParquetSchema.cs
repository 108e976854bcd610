namespace Temper.Formats.Data.Parquet;

/// <summary>A node of the schema; <paramref name="Definition"/> and <paramref name="Repetition"/> are the levels (Dremel) at which it is there and repeats.</summary>
internal sealed record ParquetNode(string Name, bool IsRepeated, bool IsOptional, int Definition, int Repetition, bool IsList, int Leaf, int Type, int TypeLength, IReadOnlyList<ParquetNode> Children)
{
    public const int MaxLeaves = 1000;
    private const int MaxDepth = 32;

    /// <summary>The leaves below, from first to last.</summary>
    public (int First, int Count) Leaves => Children.Count == 0 ? (Leaf, 1) : (Children[0].Leaves.First, Children.Sum(c => c.Leaves.Count));

    /// <summary>The leaf nodes in order.</summary>
    public IEnumerable<ParquetNode> AllLeaves() => Children.Count == 0 ? [this] : Children.SelectMany(c => c.AllLeaves());

    /// <summary>The tree of a footer's flat list.</summary>
    public static ParquetNode Read(IReadOnlyList<ThriftStruct> elements)
    {
        var (at, leaves) = (0, 0);
        return elements.Count > 0 ? Node(0, 0, 0) : throw new InvalidDataException("found no schema");

        ParquetNode Node(int depth, int definition, int repetition)
        {
            if (at >= elements.Count || depth > MaxDepth)
            {
                throw new InvalidDataException(at >= elements.Count ? "found fewer elements in the schema than its groups have children" : $"found a schema deeper than {MaxDepth}");
            }

            var element = elements[at++];
            var kind = depth == 0 ? 0 : element.Number(3) ?? 0;
            definition += kind == 0 ? 0 : 1;
            repetition += kind == 2 ? 1 : 0;
            var children = new List<ParquetNode>();
            var count = element.Number(5) ?? 0;
            for (var i = 0L; i < count; i++)
            {
                children.Add(Node(depth + 1, definition, repetition));
            }

            var leaf = children.Count == 0 ? leaves++ : -1;
            return leaves <= MaxLeaves
                ? new(element.Text(4), kind == 2, kind == 1, definition, repetition, element.Number(6) == 3, leaf, (int)(element.Number(1) ?? -1), (int)Math.Clamp(element.Number(2) ?? 0, 0, 1 << 20), children)
                : throw new InvalidDataException($"found more than {MaxLeaves} columns");
        }
    }
}
