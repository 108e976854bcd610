using System.Text.Json;
using Temper.Core;

namespace Temper.Formats.SafeTensors;

/// <summary>A JSON reader whose every refusal names file and place.</summary>
internal ref struct StrictJson(string path, ReadOnlySpan<byte> json, int maxDepth)
{
    private Utf8JsonReader _reader = new(json, new JsonReaderOptions { MaxDepth = maxDepth });

    public readonly JsonTokenType Token => _reader.TokenType;

    public void Next(string place)
    {
        try
        {
            if (!_reader.Read())
            {
                throw Defect.At(path, place, "the end of the JSON", "more of it");
            }
        }
        catch (JsonException e)
        {
            throw Broken(place, e);
        }
    }

    public void Expect(JsonTokenType token, string place, string expected)
    {
        Next(place);
        Require(token, place, expected);
    }

    public readonly void Require(JsonTokenType token, string place, string expected)
    {
        if (_reader.TokenType != token)
        {
            throw Defect.At(path, place, _reader.TokenType.ToString(), expected);
        }
    }

    /// <summary>True with the reader on the next property's name; false at the object's end.</summary>
    public bool NextProperty(string place, out string name)
    {
        Next(place);
        name = _reader.TokenType == JsonTokenType.PropertyName ? Text(place) : "";
        return _reader.TokenType == JsonTokenType.PropertyName;
    }

    public string String(string place, string expected)
    {
        Expect(JsonTokenType.String, place, expected);
        return Text(place);
    }

    public readonly long Integer(string place)
    {
        Require(JsonTokenType.Number, place, "a non-negative 64-bit integer");
        return _reader.TryGetInt64(out var value) && value >= 0
            ? value
            : throw Defect.At(path, place, "a number out of range", "a non-negative 64-bit integer");
    }

    public void Skip(string place)
    {
        try
        {
            _reader.Skip();
        }
        catch (JsonException e)
        {
            throw Broken(place, e);
        }
    }

    public void End(string place)
    {
        try
        {
            if (_reader.Read())
            {
                throw Defect.At(path, place, "more after the JSON object", "its end");
            }
        }
        catch (JsonException e)
        {
            throw Broken(place, e);
        }
    }

    private readonly string Text(string place)
    {
        try
        {
            return _reader.GetString()!;
        }
        catch (InvalidOperationException e)
        {
            throw new TemperException($"{path}: {place}: found text that is no valid Unicode, expected UTF-8 without lone surrogates", e);
        }
    }

    private readonly TemperException Broken(string place, JsonException e) =>
        new($"{path}: {place}: found broken JSON at line {e.LineNumber}, byte {e.BytePositionInLine}, expected JSON no deeper than {maxDepth}", e);
}
