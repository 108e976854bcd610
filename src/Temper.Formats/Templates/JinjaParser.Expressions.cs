namespace Temper.Formats.Templates;

public sealed partial class JinjaParser
{
    private static readonly string[][] Levels =
        [["==", "!=", "<", ">", "<=", ">="], ["+", "-"], ["~"], ["*", "/", "//", "%"]];

    private JinjaNode TupleOrOne(bool conditional = true)
    {
        var start = Now.Offset;
        var first = conditional ? Expression() : Or();
        if (!IsOperator(","))
        {
            return first;
        }

        var items = new List<JinjaNode> { first };
        while (IsOperator(","))
        {
            _at++;
            if (Now.Kind is JinjaToken.TagEnd or JinjaToken.OutputEnd || IsOperator(")"))
            {
                break;
            }

            items.Add(conditional ? Expression() : Or());
        }

        return new(JinjaKind.List, "", start, items);
    }

    private JinjaNode Expression()
    {
        Enter();
        var value = Or();
        while (IsName("if"))
        {
            var offset = Now.Offset;
            _at++;
            var condition = Or();
            var other = Empty();
            if (IsName("else"))
            {
                _at++;
                other = Expression();
            }

            value = Node(JinjaKind.Conditional, "", offset, value, condition, other);
        }

        _depth--;
        return value;
    }

    private JinjaNode Or()
    {
        var left = And();
        while (IsName("or"))
        {
            var offset = _tokens[_at++].Offset;
            left = Node(JinjaKind.Binary, "or", offset, left, And());
        }

        return left;
    }

    private JinjaNode And()
    {
        var left = Not();
        while (IsName("and"))
        {
            var offset = _tokens[_at++].Offset;
            left = Node(JinjaKind.Binary, "and", offset, left, Not());
        }

        return left;
    }

    private JinjaNode Not()
    {
        if (!IsName("not"))
        {
            return Compare(0);
        }

        Enter();
        var offset = _tokens[_at++].Offset;
        var value = Node(JinjaKind.Unary, "not", offset, Not());
        _depth--;
        return value;
    }

    private JinjaNode Compare(int level)
    {
        if (level == Levels.Length)
        {
            return Unary();
        }

        var left = Compare(level + 1);
        while (true)
        {
            var offset = Now.Offset;
            if (Now.Kind == JinjaToken.Operator && Levels[level].AsSpan().Contains(Now.Text))
            {
                var text = _tokens[_at++].Text;
                left = Node(JinjaKind.Binary, text, offset, left, Compare(level + 1));
            }
            else if (level == 0 && IsName("in"))
            {
                _at++;
                left = Node(JinjaKind.Binary, "in", offset, left, Compare(1));
            }
            else if (level == 0 && IsName("not") && _tokens[_at + 1] is { Kind: JinjaToken.Name, Text: "in" })
            {
                _at += 2;
                left = Node(JinjaKind.Binary, "not in", offset, left, Compare(1));
            }
            else
            {
                return left;
            }
        }
    }

    private JinjaNode Unary()
    {
        if (!IsOperator("-") && !IsOperator("+"))
        {
            return Power();
        }

        Enter();
        var sign = _tokens[_at++];
        var value = Node(JinjaKind.Unary, sign.Text, sign.Offset, Unary());
        _depth--;
        return value;
    }

    private JinjaNode Power()
    {
        var left = Postfix(Primary(), filters: true);
        while (IsOperator("**"))
        {
            var offset = _tokens[_at++].Offset;
            Enter();
            left = Node(JinjaKind.Binary, "**", offset, left, Unary());
            _depth--;
        }

        return left;
    }

    private JinjaNode Postfix(JinjaNode value, bool filters)
    {
        while (true)
        {
            var offset = Now.Offset;
            if (IsOperator("."))
            {
                _at++;
                value = Node(JinjaKind.Attribute, Now.Text, offset, value);
                _at += Now.Kind is JinjaToken.Name or JinjaToken.Number ? 1 : throw Wrong("the name of an attribute");
            }
            else if (IsOperator("["))
            {
                value = ItemOf(value);
            }
            else if (IsOperator("("))
            {
                value = CallOf(value);
            }
            else if (filters && IsOperator("|"))
            {
                value = Filters(value, first: false);
            }
            else if (filters && IsName("is"))
            {
                value = TestOf(value);
            }
            else
            {
                return value;
            }
        }
    }

    private JinjaNode Filters(JinjaNode value, bool first)
    {
        while (first || IsOperator("|"))
        {
            _at += first ? 0 : 1;
            first = false;
            var name = Now;
            Expect(JinjaToken.Name, "the name of a filter");
            var text = name.Text;
            while (IsOperator("."))
            {
                _at++;
                text += $".{Now.Text}";
                Expect(JinjaToken.Name, "the name of a filter");
            }

            var arguments = IsOperator("(") ? CallOf(Empty()).Children.Skip(1) : [];
            value = new(JinjaKind.Filter, text, name.Offset, [value, .. arguments]);
        }

        return value;
    }

    private JinjaNode TestOf(JinjaNode value)
    {
        _at++;
        var negated = IsName("not");
        _at += negated ? 1 : 0;
        var name = Now;
        Expect(JinjaToken.Name, "the name of a test");
        JinjaNode[] arguments = [];
        if (IsOperator("("))
        {
            arguments = [.. CallOf(Empty()).Children.Skip(1)];
        }
        else if (IsOperator("[") || IsOperator("{") || Now.Kind is JinjaToken.String or JinjaToken.Number || (Now.Kind == JinjaToken.Name && Now.Text is not ("and" or "or" or "else" or "if" or "in" or "not" or "is" or "recursive")))
        {
            Enter();
            arguments = [Postfix(Primary(), filters: false)];
            _depth--;
        }

        return new(JinjaKind.Test, negated ? $"not {name.Text}" : name.Text, name.Offset, [value, .. arguments]);
    }

    private JinjaNode ItemOf(JinjaNode value)
    {
        var offset = _tokens[_at++].Offset;
        var parts = new List<JinjaNode> { value };
        var colons = 0;
        while (!IsOperator("]"))
        {
            if (IsOperator(":"))
            {
                colons++;
                _at++;
                parts.Add(Node(JinjaKind.Empty, ":", offset));
            }
            else
            {
                parts.Add(TupleOrOne());
            }
        }

        _at++;
        return parts.Count == 1 ? throw Wrong("an index") : new(colons > 0 ? JinjaKind.Slice : JinjaKind.Item, "", offset, parts);
    }

    private JinjaNode CallOf(JinjaNode target)
    {
        var offset = Now.Offset;
        ExpectOperator("(");
        var parts = new List<JinjaNode> { target };
        while (!IsOperator(")"))
        {
            parts.Add(Argument());
            if (!IsOperator(")"))
            {
                ExpectOperator(",");
            }
        }

        _at++;
        return new(JinjaKind.Call, "", offset, parts);
    }

    private JinjaNode Argument()
    {
        if (IsOperator("*") || IsOperator("**"))
        {
            var star = _tokens[_at++];
            return Node(JinjaKind.Unary, star.Text, star.Offset, Expression());
        }

        if (Now.Kind == JinjaToken.Name && _tokens[_at + 1] is { Kind: JinjaToken.Operator, Text: "=" })
        {
            var name = _tokens[_at];
            _at += 2;
            return Node(JinjaKind.Keyword, name.Text, name.Offset, Expression());
        }

        return Expression();
    }

    private JinjaNode Primary()
    {
        Enter();
        var token = Now;
        JinjaNode value;
        if (token.Kind == JinjaToken.String)
        {
            var text = token.Text;
            for (_at++; Now.Kind == JinjaToken.String; _at++)
            {
                text += Now.Text;
            }

            value = Node(JinjaKind.String, text, token.Offset);
        }
        else if (token.Kind is JinjaToken.Number or JinjaToken.Name)
        {
            _at++;
            var literal = token.Kind == JinjaToken.Number || token.Text is "true" or "false" or "none" or "True" or "False" or "None";
            value = Node(literal ? JinjaKind.Literal : JinjaKind.Name, token.Text, token.Offset);
        }
        else if (IsOperator("("))
        {
            _at++;
            value = IsOperator(")") ? Node(JinjaKind.List, "", token.Offset) : TupleOrOne();
            ExpectOperator(")");
        }
        else if (IsOperator("[") || IsOperator("{"))
        {
            value = Collection(token.Text == "[" ? "]" : "}");
        }
        else
        {
            throw Wrong("an expression");
        }

        _depth--;
        return value;
    }

    private JinjaNode Collection(string close)
    {
        var offset = _tokens[_at++].Offset;
        var items = new List<JinjaNode>();
        while (!IsOperator(close))
        {
            items.Add(Expression());
            if (close == "}")
            {
                ExpectOperator(":");
                items.Add(Expression());
            }

            if (!IsOperator(close))
            {
                ExpectOperator(",");
            }
        }

        _at++;
        return new(close == "]" ? JinjaKind.List : JinjaKind.Dict, "", offset, items);
    }
}
