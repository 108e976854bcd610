namespace Temper.Formats.Json;

/// <summary>The kinds of JSON values.</summary>
public enum JsonKind { Object, Array, String, Number, True, False, Null }

/// <summary>
/// A JSON value as Python's reader takes it: NaN and lone surrogates are fine, and of a key that stands twice the last counts,
/// but here every pair is kept in order, so that a rule can see both.
/// </summary>
public sealed class JsonTree(JsonKind kind, string text, long offset, IReadOnlyList<KeyValuePair<string, JsonTree>> members)
{
    private const int Few = 12;
    private Dictionary<string, JsonTree>? _byName;

    public JsonKind Kind => kind;

    /// <summary>The text of a string or the digits of a number.</summary>
    public string Text => text;

    /// <summary>The byte at which the value begins.</summary>
    public long Offset => offset;

    /// <summary>The pairs of an object, or the items of an array under empty names.</summary>
    public IReadOnlyList<KeyValuePair<string, JsonTree>> Members => members;

    /// <summary>The items of an array or the values of an object.</summary>
    public IEnumerable<JsonTree> Items => members.Select(m => m.Value);

    /// <summary>The last value under a name; null where there is none or this is no object.</summary>
    public JsonTree? this[string name]
    {
        get
        {
            if (kind != JsonKind.Object)
            {
                return null;
            }

            // Most objects are small, and of most only a few names are asked for.
            if (members.Count <= Few)
            {
                for (var i = members.Count - 1; i >= 0; i--)
                {
                    if (members[i].Key == name)
                    {
                        return members[i].Value;
                    }
                }

                return null;
            }

            if (_byName is null)
            {
                var byName = new Dictionary<string, JsonTree>(StringComparer.Ordinal);
                foreach (var (key, value) in members)
                {
                    byName[key] = value;
                }

                _byName = byName;
            }

            return _byName.GetValueOrDefault(name);
        }
    }

    /// <summary>The text of a string; null for other kinds.</summary>
    public string? String => kind == JsonKind.String ? text : null;

    /// <summary>The number as an integer; null where it is none.</summary>
    public long? Integer => kind == JsonKind.Number && long.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, out var value) ? value : null;

    /// <summary>The number; null where it is none.</summary>
    public double? Number => kind == JsonKind.Number && double.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, out var value) ? value : null;

    /// <summary>Whether the value is true.</summary>
    public bool IsTrue => kind == JsonKind.True;

    /// <summary>Names that stand more than once in this object.</summary>
    public IEnumerable<string> Duplicates() => kind == JsonKind.Object ? members.GroupBy(m => m.Key, StringComparer.Ordinal).Where(g => g.Count() > 1).Select(g => g.Key) : [];
}

/// <summary>Text that is no JSON: where, what was found and what was expected.</summary>
public sealed class JsonTreeException(long offset, string found, string expected) : Exception($"at byte {offset}: found {found}, expected {expected}")
{
    /// <summary>The byte at which reading stopped.</summary>
    public long Offset => offset;
}
