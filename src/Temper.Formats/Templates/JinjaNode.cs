namespace Temper.Formats.Templates;

/// <summary>What a node of a template is.</summary>
public enum JinjaKind
{
    /// <summary>A sequence of nodes.</summary>
    Body,

    /// <summary>Literal text outside of tags.</summary>
    Text,

    /// <summary>An expression whose value is written.</summary>
    Output,

    /// <summary>Condition, body, and what else.</summary>
    If,

    /// <summary>Target, iterable, filter, body, else.</summary>
    For,

    /// <summary>Target and value, or target and body.</summary>
    Set,

    /// <summary>A named body with parameters.</summary>
    Macro,

    /// <summary>Any other tag, by its name.</summary>
    Tag,

    /// <summary>A string literal.</summary>
    String,

    /// <summary>A number, true, false or none.</summary>
    Literal,

    /// <summary>A variable.</summary>
    Name,

    /// <summary>An attribute of its child.</summary>
    Attribute,

    /// <summary>An item of the first child, by the second.</summary>
    Item,

    /// <summary>A slice of the first child.</summary>
    Slice,

    /// <summary>A call of the first child with the others.</summary>
    Call,

    /// <summary>A keyword argument.</summary>
    Keyword,

    /// <summary>A filter on the first child.</summary>
    Filter,

    /// <summary>A test of the first child.</summary>
    Test,

    /// <summary>An operator with one operand.</summary>
    Unary,

    /// <summary>An operator with two operands.</summary>
    Binary,

    /// <summary>Value if condition else other.</summary>
    Conditional,

    /// <summary>A list or tuple.</summary>
    List,

    /// <summary>A dictionary: keys and values in turn.</summary>
    Dict,

    /// <summary>Nothing, where something may stand.</summary>
    Empty,
}

/// <summary>A node of a chat template's syntax tree; <paramref name="Text"/> is its name, operator or literal.</summary>
public sealed record JinjaNode(JinjaKind Kind, string Text, int Offset, IReadOnlyList<JinjaNode> Children)
{
    /// <summary>This node and all below it.</summary>
    public IEnumerable<JinjaNode> Walk()
    {
        var pending = new Stack<JinjaNode>([this]);
        while (pending.TryPop(out var node))
        {
            yield return node;
            for (var i = node.Children.Count - 1; i >= 0; i--)
            {
                pending.Push(node.Children[i]);
            }
        }
    }

    /// <summary>The tree on one line without offsets and without white space around text: equal for templates that mean the same.</summary>
    public string Outline()
    {
        // Not recursive: a chain of attributes makes a tree as deep as the template is long.
        var result = new System.Text.StringBuilder();
        var pending = new Stack<JinjaNode?>([this]);
        while (pending.TryPop(out var node))
        {
            if (node is null)
            {
                result.Append(')');
                continue;
            }

            if (node.Kind == JinjaKind.Text && string.IsNullOrWhiteSpace(node.Text))
            {
                continue;
            }

            result.Append(node.Kind).Append('\'').Append(node.Kind == JinjaKind.Text ? node.Text.Trim() : node.Text).Append("'(");
            pending.Push(null);
            for (var i = node.Children.Count - 1; i >= 0; i--)
            {
                pending.Push(node.Children[i]);
            }
        }

        return result.ToString();
    }
}

/// <summary>A template that does not parse: where, what was found and what was expected.</summary>
public sealed class JinjaException(int offset, string found, string expected) : Exception($"at character {offset}: found {found}, expected {expected}")
{
    /// <summary>The character at which reading stopped.</summary>
    public int Offset => offset;
}
