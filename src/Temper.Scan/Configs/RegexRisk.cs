namespace Temper.Scan.Configs;

/// <summary>Finds repetitions inside repetitions, the shape of regular expressions that take exponential time; nothing is matched.</summary>
internal static class RegexRisk
{
    /// <summary>What is risky about a pattern, or null.</summary>
    public static string? Of(string pattern)
    {
        if (pattern.Length > 20_000)
        {
            return $"a pattern of {pattern.Length} characters";
        }

        var groups = new Stack<Group>([new(0)]);
        for (var i = 0; i < pattern.Length; i++)
        {
            switch (pattern[i])
            {
                case '\\':
                    i++;
                    break;
                case '[':
                    i = SkipClass(pattern, i);
                    break;
                case '(':
                    groups.Push(new(i));
                    break;
                case ')' when groups.Count > 1:
                    var group = groups.Pop();
                    var unbounded = Unbounded(pattern, i + 1);
                    if (unbounded && group.Repeats)
                    {
                        return $"repetition within repetition in '{Cut(pattern[group.Start..(i + 2)])}'";
                    }

                    if (unbounded && HasTwinBranches(pattern[(group.Start + 1)..i]))
                    {
                        return $"a repeated choice of equal branches in '{Cut(pattern[group.Start..(i + 2)])}'";
                    }

                    groups.Peek().Repeats |= unbounded || group.Repeats;
                    break;
                case '*' or '+' or '{' when Unbounded(pattern, i):
                    // A possessive or plain repetition inside a group matters once the group itself repeats.
                    groups.Peek().Repeats = true;
                    break;
            }
        }

        return null;
    }

    private static bool Unbounded(string pattern, int at)
    {
        if (at >= pattern.Length)
        {
            return false;
        }

        if (pattern[at] is '*' or '+')
        {
            return at + 1 >= pattern.Length || pattern[at + 1] != '+';
        }

        if (pattern[at] != '{')
        {
            return false;
        }

        var close = pattern.IndexOf('}', at);
        var body = close < 0 ? "" : pattern[(at + 1)..close];
        var comma = body.IndexOf(',', StringComparison.Ordinal);
        return comma > 0 && (comma == body.Length - 1 || (int.TryParse(body[(comma + 1)..], out var most) && most > 100));
    }

    private static int SkipClass(string pattern, int at)
    {
        var i = at + 1;
        i += i < pattern.Length && pattern[i] == '^' ? 1 : 0;
        i += i < pattern.Length && pattern[i] == ']' ? 1 : 0;
        while (i < pattern.Length && pattern[i] != ']')
        {
            i += pattern[i] == '\\' ? 2 : 1;
        }

        return i;
    }

    private static bool HasTwinBranches(string body)
    {
        var branches = body.TrimStart('?', ':', 'i').Split('|');
        return branches.Length > 1 && branches.Length < 100 && branches.Distinct(StringComparer.Ordinal).Count() < branches.Length;
    }

    private static string Cut(string text) => text.Length > 60 ? text[..60] + "…" : text;

    private sealed class Group(int start)
    {
        public int Start => start;

        public bool Repeats { get; set; }
    }
}
