namespace Temper.Formats.Templates;

/// <summary>Parses the Jinja that chat templates are written in to a syntax tree.</summary>
public sealed partial class JinjaParser
{
    internal const int MaxNodes = 500_000;
    private const int MaxDepth = 200;
    private readonly List<JinjaLexeme> _tokens;
    private int _at;
    private int _depth;

    private JinjaParser(List<JinjaLexeme> tokens) => _tokens = tokens;

    private JinjaLexeme Now => _tokens[_at];

    /// <summary>The tree, or a <see cref="JinjaException"/> that says where and why there is none.</summary>
    public static JinjaNode Parse(string template) => Parse(template, rendering: false);

    internal static JinjaNode Parse(string template, bool rendering)
    {
        var parser = new JinjaParser(new JinjaLexer(template, rendering).Read());
        var body = parser.Body();
        return parser.Now.Kind == JinjaToken.End ? body : throw parser.Wrong("the end of the template");
    }

    private static JinjaNode Node(JinjaKind kind, string text, int offset, params JinjaNode[] children) => new(kind, text, offset, children);

    private JinjaNode Empty() => Node(JinjaKind.Empty, "", Now.Offset);

    private JinjaException Wrong(string expected) =>
        new(Now.Offset, Now.Kind is JinjaToken.Name or JinjaToken.Operator ? $"'{Now.Text}'" : Now.Kind.ToString(), expected);

    private JinjaNode Body(params ReadOnlySpan<string> until)
    {
        Enter();
        var start = Now.Offset;
        var nodes = new List<JinjaNode>();
        while (Now.Kind != JinjaToken.End)
        {
            if (Now.Kind == JinjaToken.Text)
            {
                nodes.Add(Node(JinjaKind.Text, Now.Text, Now.Offset));
                _at++;
            }
            else if (Now.Kind == JinjaToken.OutputStart)
            {
                var offset = _tokens[_at++].Offset;
                nodes.Add(Node(JinjaKind.Output, "", offset, TupleOrOne()));
                Expect(JinjaToken.OutputEnd, "'}}'");
            }
            else
            {
                var name = _tokens[_at + 1];
                if (name.Kind != JinjaToken.Name)
                {
                    _at++;
                    throw Wrong("the name of a tag");
                }

                if (until.Contains(name.Text))
                {
                    break;
                }

                nodes.Add(Statement());
            }
        }

        _depth--;
        return new(JinjaKind.Body, "", start, nodes);
    }

    private void Enter()
    {
        if (++_depth > MaxDepth)
        {
            throw Wrong($"at most {MaxDepth} levels");
        }
    }

    private JinjaNode Statement()
    {
        var offset = _tokens[_at++].Offset;
        var name = _tokens[_at++].Text;
        switch (name)
        {
            case "if":
                return If(offset);
            case "for":
                return For(offset);
            case "set":
                return Set(offset);
            case "macro":
                return Macro(offset);
            case "call":
                return Enclosed(offset, name, CallHead());
            case "filter":
                return Enclosed(offset, name, Filters(Empty(), first: true));
            case "generation" or "with" or "autoescape" or "block" or "trans":
                return Enclosed(offset, name, Now.Kind == JinjaToken.TagEnd ? Empty() : Arguments());
            case "break" or "continue" or "debug":
                EndTag();
                return Node(JinjaKind.Tag, name, offset);
            case "include" or "import" or "from" or "extends" or "do" or "print":
                var value = name is "do" or "print" ? TupleOrOne() : Rest();
                EndTag();
                return Node(JinjaKind.Tag, name, offset, value);
            default:
                _at--;
                throw Wrong("a tag of Jinja");
        }
    }

    private JinjaNode Enclosed(int offset, string name, JinjaNode head)
    {
        EndTag();
        var body = Body($"end{name}");
        Close($"end{name}");
        return Node(JinjaKind.Tag, name, offset, head, body);
    }

    private JinjaNode If(int offset)
    {
        var condition = TupleOrOne();
        EndTag();
        var body = Body("elif", "else", "endif");
        Enter();
        var tag = TagName();
        JinjaNode rest;
        if (tag == "elif")
        {
            var at = Now.Offset;
            rest = If(at);
        }
        else if (tag == "else")
        {
            EndTag();
            rest = Body("endif");
            Close("endif");
        }
        else
        {
            rest = Empty();
            EndTag();
        }

        _depth--;
        return Node(JinjaKind.If, "", offset, condition, body, rest);
    }

    private JinjaNode For(int offset)
    {
        var target = Targets();
        if (!IsName("in"))
        {
            throw Wrong("'in'");
        }

        _at++;
        var iterable = TupleOrOne(conditional: false);
        var filter = Empty();
        if (IsName("if"))
        {
            _at++;
            filter = Expression();
        }

        if (IsName("recursive"))
        {
            _at++;
        }

        EndTag();
        var body = Body("else", "endfor");
        var rest = Empty();
        if (TagName() == "else")
        {
            EndTag();
            rest = Body("endfor");
            Close("endfor");
        }
        else
        {
            EndTag();
        }

        return Node(JinjaKind.For, "", offset, target, iterable, filter, body, rest);
    }

    private JinjaNode Set(int offset)
    {
        var target = Targets();
        if (IsOperator("="))
        {
            _at++;
            var value = TupleOrOne();
            EndTag();
            return Node(JinjaKind.Set, "", offset, target, value);
        }

        var filtered = IsOperator("|") ? Filters(target, first: false) : target;
        EndTag();
        var body = Body("endset");
        Close("endset");
        return Node(JinjaKind.Set, "block", offset, filtered, body);
    }

    private JinjaNode Macro(int offset)
    {
        var name = Now.Text;
        Expect(JinjaToken.Name, "a name");
        var head = IsOperator("(") ? CallOf(Node(JinjaKind.Name, name, offset)) : throw Wrong("'('");
        EndTag();
        var body = Body("endmacro");
        Close("endmacro");
        return Node(JinjaKind.Macro, name, offset, head, body);
    }

    private JinjaNode CallHead()
    {
        var parameters = IsOperator("(") ? CallOf(Empty()) : Empty();
        return Node(JinjaKind.List, "", Now.Offset, parameters, Expression());
    }

    private JinjaNode Arguments()
    {
        var start = Now.Offset;
        var items = new List<JinjaNode>();
        while (Now.Kind != JinjaToken.TagEnd && Now.Kind != JinjaToken.End)
        {
            items.Add(Argument());
            if (IsOperator(","))
            {
                _at++;
            }
        }

        return new(JinjaKind.List, "", start, items);
    }

    // include, import and extends have no place in a chat template, so what follows is kept as it stands.
    private JinjaNode Rest()
    {
        var start = Now.Offset;
        var items = new List<JinjaNode>();
        while (Now.Kind is not (JinjaToken.TagEnd or JinjaToken.End))
        {
            items.Add(Node(Now.Kind == JinjaToken.String ? JinjaKind.String : JinjaKind.Name, Now.Text, Now.Offset));
            _at++;
        }

        return new(JinjaKind.List, "", start, items);
    }

    private JinjaNode Targets()
    {
        var start = Now.Offset;
        var items = new List<JinjaNode>();
        do
        {
            if (items.Count > 0)
            {
                _at++;
            }

            var closing = IsOperator("(");
            _at += closing ? 1 : 0;
            items.Add(closing ? Targets() : Postfix(Primary(), filters: false));
            if (closing)
            {
                ExpectOperator(")");
            }
        }
        while (IsOperator(","));
        return items.Count == 1 ? items[0] : new(JinjaKind.List, "", start, items);
    }

    private string TagName()
    {
        Expect(JinjaToken.TagStart, "'{%'");
        var name = Now.Text;
        Expect(JinjaToken.Name, "the name of a tag");
        return name;
    }

    private void Close(string name)
    {
        if (TagName() is var found && found != name)
        {
            _at--;
            throw Wrong($"'{name}'");
        }

        // endblock and endmacro may repeat the name.
        if (Now.Kind == JinjaToken.Name)
        {
            _at++;
        }

        EndTag();
    }

    private void EndTag() => Expect(JinjaToken.TagEnd, "'%}'");

    private void Expect(JinjaToken kind, string expected)
    {
        if (Now.Kind != kind)
        {
            throw Wrong(expected);
        }

        _at++;
    }

    private void ExpectOperator(string text)
    {
        if (!IsOperator(text))
        {
            throw Wrong($"'{text}'");
        }

        _at++;
    }

    private bool IsOperator(string text) => Now.Kind == JinjaToken.Operator && Now.Text == text;

    private bool IsName(string text) => Now.Kind == JinjaToken.Name && Now.Text == text;
}
