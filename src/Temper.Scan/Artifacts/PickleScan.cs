using System.Text;
using System.Text.RegularExpressions;
using Temper.Formats.Bytes;
using Temper.Formats.Pickle;
using Temper.Scan.Rules;

namespace Temper.Scan.Artifacts;

/// <summary>Pickles of any protocol, alone, after junk, or several in a row as in the legacy torch format.</summary>
internal static partial class PickleScan
{
    // The pickled long 0x1950A86A20F9469CFC6C and 1001 with which torch.save began files before the zip format.
    private static readonly byte[] TorchMagic = [0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, (byte)'.'];
    private static readonly byte[] TorchProtocol = [0x80, 2, (byte)'M', 0xe9, 3, (byte)'.'];

    public static void Read(Draft draft, Artifact artifact)
    {
        var start = Junk(artifact.Head);
        var body = artifact.Bytes.Part(start, artifact.Bytes.Length - start);
        if (body.Length == 0)
        {
            return;
        }

        var trace = PickleReader.Read(body, artifact.Options.Pickle, cancellation: artifact.Cancellation);
        if (!IsPickle(body.Head(2), trace) || (draft.Formats.Count > 0 && !Acts(trace)))
        {
            if (draft.Formats.Count == 0 && trace.Events.Any(e => Identifier().IsMatch(e.FullName)))
            {
                // Text such as "cat\ndog\n" is also a broken pickle that imports at.dog: too little to accuse it, too much to call it clean.
                draft.Unjudged();
            }

            return;
        }

        if (draft.Formats.Count > 0)
        {
            draft.Add(FileCards.Polyglot, $"The file is {draft.Formats[0]} and a pickle that does something at once.");
        }

        var legacy = body.Head(TorchMagic.Length).SequenceEqual(TorchMagic);
        draft.Format(legacy ? "torch-legacy" : "pickle");
        draft.AddRange(PickleRules.Judge(trace, draft.Path));
        draft.Storages = trace.Storages;
        if (start > 0)
        {
            draft.Add(PickleCards.Leading, $"{start} bytes stand before the pickle.");
        }

        Legacy(draft, trace, body, legacy);
        if (trace.FirstArray is { } array)
        {
            Plain(draft, artifact, body, array, trace);
        }

        if (trace.End != PickleEnd.Stop || trace.FrameMismatch is not null)
        {
            draft.Incomplete();
        }

        Blobs(draft, artifact, trace, body);
    }

    /// <summary>Whether the bytes are a pickle: by magic, or because read as one they end well or do something.</summary>
    private static bool IsPickle(ReadOnlySpan<byte> data, PickleTrace trace)
    {
        if (data is [0x80, <= 5, ..])
        {
            return trace.Steps > 1;
        }

        // Plain text can begin like protocol 0 ("cat\ndog\n"), so without the magic it takes an end or a call.
        return (trace.End == PickleEnd.Stop && trace.Steps > (trace.TrailingOffset is null ? 1 : 2)) || Acts(trace);
    }

    private static bool Acts(PickleTrace trace) => trace.Events.Any(e => Identifier().IsMatch(e.FullName)
        && (e.Kind == PickleEventKind.Call || PickleNames.Classify(e.Module, e.Name) == NameTrust.Dangerous));

    private static void Legacy(Draft draft, PickleTrace trace, ByteSource body, bool legacy)
    {
        if (legacy && !body.Head(TorchMagic.Length + TorchProtocol.Length).EndsWith(TorchProtocol))
        {
            draft.AddAt(PickleCards.Magic, TorchMagic.Length, "The torch protocol number is not a plain 1001.");
        }

        if (!legacy && body.Head(4096 + TorchProtocol.Length).IndexOf(TorchProtocol) is > 0 and < 4096 and var at && trace.Streams >= 4 && trace.Events.Any(e => e.Kind == PickleEventKind.Call && e.Offset < at))
        {
            draft.Add(PickleCards.Magic, "A call makes the magic number of a torch file.");
        }

        if (!legacy && trace.TrailingOffset is { } trailing)
        {
            draft.AddAt(PickleCards.Trailing, trailing, $"{body.Length - trailing} bytes after the last pickle are none.");
        }
    }

    // pickle.load knows nothing of joblib's arrays and takes their bytes for opcodes.
    private static void Plain(Draft draft, Artifact artifact, ByteSource body, long array, PickleTrace followed)
    {
        var trace = PickleReader.Read(body, artifact.Options.Pickle, followArrays: false, artifact.Cancellation);
        var known = followed.Events.Select(e => (e.Kind, e.FullName)).ToHashSet();
        PickleEvent[] hidden = [.. trace.Events.Where(e => e.Offset >= array && !known.Contains((e.Kind, e.FullName)) && Identifier().IsMatch(e.FullName))];
        if (Array.Exists(hidden, e => e.Resolved && (e.Kind == PickleEventKind.Call || PickleNames.Classify(e.Module, e.Name) != NameTrust.Allowed)))
        {
            draft.AddAt(FileCards.Polyglot, array, "What joblib.load takes for the numbers of an array, pickle.load runs.");
            draft.AddRange(PickleRules.Judge(trace with { Events = hidden, End = PickleEnd.Stop, FrameMismatch = null, ProtocolChange = null }, draft.Path));
        }
    }

    /// <summary>Opens strings that look like files. What does not turn out to be one is not mentioned.</summary>
    private static void Blobs(Draft draft, Artifact artifact, PickleTrace trace, ByteSource body)
    {
        // Each level may carry the next one several times over, so carriers count against the nesting as archives do.
        if (draft.Depth >= artifact.Options.MaxNesting)
        {
            return;
        }

        var runs = draft.Findings.Any(f => f.Severity >= Severity.Medium);
        foreach (var blob in trace.Blobs)
        {
            artifact.Cancellation.ThrowIfCancellationRequested();
            if (blob.Length > artifact.Scan.Room)
            {
                draft.Incomplete(FileCards.Limit, "Strings that look like files are larger than the limit.");
                return;
            }

            var decoded = blob.Text is null ? PickleCarriers.Decode(body.Span(blob.Offset, (int)blob.Length)) : PickleCarriers.Decode(Encoding.Latin1.GetBytes(blob.Text));
            artifact.Scan.Spend(decoded.Length);
            using var bytes = ByteSource.Of(decoded);
            var inner = artifact.Scan.Inner($"{draft.Path}!string@{blob.Offset}", bytes, draft.Depth + 1);
            if (!Worth(inner))
            {
                continue;
            }

            draft.AddAt(PickleCards.Carrier, blob.Offset, $"A string of {blob.Length} bytes is itself a file ({string.Join('+', inner.Formats)}).");
            draft.Member(runs ? inner : inner.Carried());
        }
    }

    private static bool Worth(Draft inner) =>
        inner.Formats.Any(f => f is "pickle" or "torch-zip" or "torch-legacy" or "zip" or "7z" or "rar" or "gzip" or "zlib" or "bzip2" or "xz" or "lzma" or "lz4" or "zstd")
        && inner.Reports().SelectMany(r => r.Findings).Any(f => f.Severity > Severity.Info
            && f.RuleId is not ("pickle.broken" or "pickle.frame" or "pickle.trailing" or "pickle.protocol" or "container.broken" or "zip.stray" or "zip.structure"));

    private static int Junk(ReadOnlySpan<byte> data)
    {
        var start = data.StartsWith((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF]) ? 3 : 0;
        while (start < Math.Min(data.Length, 64) && data[start] is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t')
        {
            start++;
        }

        return start < data.Length && (data[start] == 0x80 || (start > 0 && data[start] is (byte)'c' or (byte)'(')) ? start : 0;
    }

    [GeneratedRegex(@"^[\w.]+$", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Identifier();
}
