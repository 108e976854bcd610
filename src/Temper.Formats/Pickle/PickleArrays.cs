using System.Globalization;
using System.Text.RegularExpressions;

namespace Temper.Formats.Pickle;

/// <summary>A numpy.dtype as far as a pickle spells it out; a size of 0 says that a loader might see another type.</summary>
internal sealed partial class PickleDtype
{
    private readonly char _kind;

    public PickleDtype(string? name)
    {
        if (name is not null && Layout().Match(name) is { Success: true } match)
        {
            _kind = match.Groups["kind"].Value[0];
            Size = int.Parse(match.Groups["size"].Value, CultureInfo.InvariantCulture) * (_kind == 'U' ? 4 : 1);
        }
    }

    public int Size { get; private set; }

    public bool HasObjects { get; private set; }

    /// <summary>The state that BUILD gives: version, byte order, subtype, names, fields, size, alignment, flags.</summary>
    public void Build(in PickleValue state)
    {
        var plain = _kind is not ('S' or 'U' or 'V');
        if (state.Content is not PickleValue[] { Length: >= 8 } s || s[0] is not { Kind: PickleKind.Int, Number: >= 3 } || s[2].Kind != PickleKind.Data
            || (_kind != 'V' && (s[3].Kind, s[4].Kind) != (PickleKind.Data, PickleKind.Data))
            || s[5].Kind != PickleKind.Int || s[5].Number != (plain ? -1 : Size) || s[7].Kind != PickleKind.Int)
        {
            Size = 0;
            return;
        }

        // The lowest flag says that the items are references, so that the array is pickled and not written.
        HasObjects = (s[7].Number & 1) != 0;
        Size = HasObjects == (_kind == 'O') || _kind == 'V' ? Size : 0;
    }

    [GeneratedRegex(@"^[<>|=]?((?<kind>[biufcmM])(?<size>\d{1,2})|(?<kind>[SUV])(?<size>\d{1,8})|(?<kind>O)(?<size>[48]))$", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Layout();
}

/// <summary>A dict as the state of a joblib array wrapper.</summary>
internal sealed class PickleArrayState
{
    private PickleValue _shape;

    /// <summary>Whether a key was set that the pickle does not spell out.</summary>
    public bool IsLost { get; private set; }

    public bool IsAligned { get; private set; }

    public PickleValue Dtype { get; private set; }

    /// <summary>How many items the array has; negative where the shape is none.</summary>
    public long Count
    {
        get
        {
            if (_shape.Content is not PickleValue[] sizes || _shape.Number > sizes.Length || Array.Exists(sizes, s => s is not { Kind: PickleKind.Int, Number: >= 0 }))
            {
                return -1;
            }

            var count = sizes.Aggregate((Int128)1, (product, s) => product > long.MaxValue && s.Number > 0 ? product : product * s.Number);
            return count > long.MaxValue ? long.MaxValue : (long)count;
        }
    }

    public void Set(PickleKind keyKind, string? key, in PickleValue value)
    {
        switch (key)
        {
            case "shape":
                _shape = value;
                break;
            case "dtype":
                Dtype = value;
                break;
            case "numpy_array_alignment_bytes":
                IsAligned = true;
                IsLost |= value.Kind != PickleKind.Int;
                break;
            default:
                IsLost |= keyKind is PickleKind.Result or PickleKind.Global or PickleKind.Persistent;
                break;
        }
    }
}
