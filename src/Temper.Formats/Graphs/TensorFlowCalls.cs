namespace Temper.Formats.Graphs;

/// <summary>
/// Which nodes and functions lead to which. Every SavedModel holds operations that write and read files, to save and restore its variables where
/// the caller says; they are harmless exactly where nothing else leads to them.
/// </summary>
internal sealed class TensorFlowCalls
{
    private readonly Dictionary<(string Function, string Op, string Output), TensorFlowOperator> _operators = [];
    private readonly List<TensorFlowOperator> _graph = [];
    private readonly Dictionary<string, List<string>> _inputs = [];
    private readonly Dictionary<string, List<string>> _calls = [];
    private readonly Dictionary<string, List<string>> _functions = [];

    public void Add(TensorFlowOperator node, List<string> inputs)
    {
        if (node.Function.Length == 0)
        {
            _graph.Add(node);
            Of(_inputs, node.Node).AddRange(inputs);
        }
        else if (!_operators.TryAdd((node.Function, node.Name, node.Output), node))
        {
            return;
        }

        // The name of an operation may be that of a function.
        Call(node.Function, node.Node, node.Name);
    }

    public void Call(string function, string node, string callee)
    {
        if (function.Length == 0)
        {
            Of(_calls, node).Add(callee);
        }
        else
        {
            Of(_functions, function).Add(callee);
        }
    }

    /// <summary>Every operation once per function; those of the saver are marked.</summary>
    public IEnumerable<TensorFlowOperator> Operators(IEnumerable<string> savers)
    {
        var saver = Reached(savers.Where(s => s.Length > 0).Select(Node), _inputs);
        var ofSaver = Reached(saver.SelectMany(Calls), _functions);
        var ofOthers = Reached(_graph.Where(n => !saver.Contains(n.Node)).SelectMany(n => Calls(n.Node)), _functions);
        ofSaver.ExceptWith(ofOthers);
        return _graph.Select(n => n with { Saver = saver.Contains(n.Node) }).DistinctBy(n => (n.Name, n.Output, n.Saver))
            .Concat(_operators.Values.Select(n => n with { Saver = ofSaver.Contains(n.Function) }));
    }

    private List<string> Calls(string node) => _calls.GetValueOrDefault(node) ?? [];

    private static HashSet<string> Reached(IEnumerable<string> starts, Dictionary<string, List<string>> leads)
    {
        var reached = new HashSet<string>(StringComparer.Ordinal);
        var pending = new Stack<string>(starts);
        while (pending.TryPop(out var name))
        {
            if (reached.Add(name) && leads.TryGetValue(name, out var next))
            {
                foreach (var one in next)
                {
                    pending.Push(Node(one));
                }
            }
        }

        return reached;
    }

    // "^name" is a control input, "name:1" an output.
    private static string Node(string input)
    {
        var name = input.StartsWith('^') ? input[1..] : input;
        var colon = name.IndexOf(':', StringComparison.Ordinal);
        return colon < 0 ? name : name[..colon];
    }

    private static List<string> Of<TKey>(Dictionary<TKey, List<string>> lists, TKey key) where TKey : notnull =>
        lists.TryGetValue(key, out var list) ? list : lists[key] = [];
}
