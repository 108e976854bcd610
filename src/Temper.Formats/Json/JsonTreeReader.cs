using System.Buffers;
using System.Globalization;
using System.Text;

namespace Temper.Formats.Json;

/// <summary>Reads JSON as Python's json module does, within limits on depth and size.</summary>
public ref struct JsonTreeReader
{
    private const int MaxDepth = 200;
    private const int MaxValues = 8_000_000;
    private static readonly SearchValues<byte> Special = SearchValues.Create("\"\\"u8);
    private readonly ReadOnlySpan<byte> _text;
    private int _at;
    private int _values;

    private JsonTreeReader(ReadOnlySpan<byte> text) => _text = text;

    /// <summary>The value, or a <see cref="JsonTreeException"/>; a byte order mark is skipped.</summary>
    public static JsonTree Read(ReadOnlySpan<byte> text)
    {
        var reader = new JsonTreeReader(text);
        if (text.StartsWith((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF]))
        {
            reader._at = 3;
        }

        var value = reader.Value(0);
        reader.White();
        return reader._at == text.Length ? value : throw reader.Wrong("the end");
    }

    private readonly JsonTreeException Wrong(string expected) =>
        new(_at, _at < _text.Length ? _text[_at] is > 32 and < 127 ? $"'{(char)_text[_at]}'" : $"byte 0x{_text[_at]:x2}" : "the end", expected);

    private void White()
    {
        while (_at < _text.Length && _text[_at] is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t')
        {
            _at++;
        }
    }

    private JsonTree Value(int depth)
    {
        White();
        if (depth > MaxDepth || ++_values > MaxValues)
        {
            throw Wrong(depth > MaxDepth ? $"at most {MaxDepth} levels" : $"at most {MaxValues} values");
        }

        var start = _at;
        if (_at >= _text.Length)
        {
            throw Wrong("a value");
        }

        switch (_text[_at])
        {
            case (byte)'{':
                return Collection(depth, JsonKind.Object, (byte)'}');
            case (byte)'[':
                return Collection(depth, JsonKind.Array, (byte)']');
            case (byte)'"':
                return new(JsonKind.String, Text(), start, []);
            default:
                foreach (var (word, kind) in Words)
                {
                    if (_text[_at..].StartsWith(word))
                    {
                        _at += word.Length;
                        return new(kind, Encoding.ASCII.GetString(word), start, []);
                    }
                }

                while (_at < _text.Length && _text[_at] is (>= (byte)'0' and <= (byte)'9') or (byte)'-' or (byte)'+' or (byte)'.' or (byte)'e' or (byte)'E')
                {
                    _at++;
                }

                return _at > start && _at - start < 1000 ? new(JsonKind.Number, Encoding.ASCII.GetString(_text[start.._at]), start, []) : throw Wrong("a value");
        }
    }

    private static (byte[] Word, JsonKind Kind)[] Words { get; } =
    [
        ("true"u8.ToArray(), JsonKind.True), ("false"u8.ToArray(), JsonKind.False), ("null"u8.ToArray(), JsonKind.Null),
        ("NaN"u8.ToArray(), JsonKind.Number), ("Infinity"u8.ToArray(), JsonKind.Number), ("-Infinity"u8.ToArray(), JsonKind.Number),
    ];

    private JsonTree Collection(int depth, JsonKind kind, byte close)
    {
        var start = _at++;
        var members = new List<KeyValuePair<string, JsonTree>>();
        White();
        while (_at < _text.Length && _text[_at] != close)
        {
            var name = "";
            if (kind == JsonKind.Object)
            {
                name = _text[_at] == '"' ? Text() : throw Wrong("a name in quotes");
                White();
                Expect((byte)':');
            }

            members.Add(new(name, Value(depth + 1)));
            White();
            if (_at < _text.Length && _text[_at] != close)
            {
                Expect((byte)',');
                White();
                if (_at < _text.Length && _text[_at] == close)
                {
                    throw Wrong("another value after ','");
                }
            }
        }

        Expect(close);
        return new(kind, "", start, members);
    }

    private void Expect(byte expected)
    {
        if (_at >= _text.Length || _text[_at] != expected)
        {
            throw Wrong($"'{(char)expected}'");
        }

        _at++;
    }

    private string Text()
    {
        var start = ++_at;
        var length = _text[_at..].IndexOfAny(Special);
        if (length >= 0 && _text[_at + length] == '"')
        {
            _at += length + 1;
            return Encoding.UTF8.GetString(_text.Slice(start, length));
        }

        var result = new StringBuilder();
        while (length >= 0)
        {
            result.Append(Encoding.UTF8.GetString(_text.Slice(_at, length)));
            _at += length + 1;
            if (_text[_at - 1] == '"')
            {
                return result.ToString();
            }

            Escape(result);
            length = _text[_at..].IndexOfAny(Special);
        }

        throw Wrong("the end of the text that begins at byte " + (start - 1).ToString(CultureInfo.InvariantCulture));
    }

    private void Escape(StringBuilder result)
    {
        if (_at >= _text.Length)
        {
            throw Wrong("an escape");
        }

        var c = _text[_at++];
        if (c == 'u')
        {
            if (_at + 4 > _text.Length || !int.TryParse(_text.Slice(_at, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code))
            {
                throw Wrong("four hexadecimal digits");
            }

            result.Append((char)code);
            _at += 4;
            return;
        }

        result.Append(c switch
        {
            (byte)'n' => '\n', (byte)'t' => '\t', (byte)'r' => '\r', (byte)'b' => '\b', (byte)'f' => '\f', (byte)'"' or (byte)'\\' or (byte)'/' => (char)c,
            _ => throw Wrong("an escape of JSON"),
        });
    }
}
