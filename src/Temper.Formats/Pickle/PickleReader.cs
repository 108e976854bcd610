using Temper.Formats.Bytes;

namespace Temper.Formats.Pickle;

/// <summary>Reads pickles symbolically; nothing is imported, called or built.</summary>
public static class PickleReader
{
    /// <summary>All concatenated pickles from the start of <paramref name="source"/>, as joblib.load reads them or, without <paramref name="followArrays"/>, pickle.load.</summary>
    public static PickleTrace Read(ByteSource source, PickleBudget? budget = null, bool followArrays = true, CancellationToken cancellation = default)
    {
        budget ??= new PickleBudget();
        var log = new PickleLog(budget);
        var machine = new PickleMachine(source, budget, log, cancellation, followArrays);
        var streams = 0;
        var protocol = 0;
        long? trailing = null;
        do
        {
            var start = machine.Position;
            var known = log.Count;
            var mismatch = log.FrameMismatch;
            var end = Stream(ref machine);
            if (streams > 0 && end is not (PickleEnd.Stop or PickleEnd.Budget) && log.Count == known)
            {
                // Legacy torch files end in raw storages: bytes that neither parse nor do anything are no pickle.
                trailing = start;
                log.FrameMismatch = mismatch;
                return Trace(log, PickleEnd.Stop, start, streams, machine.Steps, protocol, mismatch, trailing);
            }

            streams++;
            protocol = Math.Max(protocol, machine.Protocol);
            if (end != PickleEnd.Stop)
            {
                return Trace(log, end, machine.OpcodeOffset, streams, machine.Steps, protocol, log.FrameMismatch, null);
            }
        }
        while (machine.Position < source.Length && streams < budget.Streams);

        var last = machine.Position < source.Length ? PickleEnd.Budget : PickleEnd.Stop;
        return Trace(log, last, machine.Position, streams, machine.Steps, protocol, log.FrameMismatch, trailing);
    }

    // What was found before somebody cut the file is still worth telling.
    private static PickleEnd Stream(ref PickleMachine machine)
    {
        try
        {
            return machine.ReadStream();
        }
        catch (FileChangedException)
        {
            return PickleEnd.Truncated;
        }
    }

    private static PickleTrace Trace(PickleLog log, PickleEnd end, long at, int streams, long steps, int protocol, long? frame, long? trailing) =>
        new(log.Events, end, at, streams, steps, protocol, frame, trailing) { Blobs = log.Blobs, Storages = log.Storages, ProtocolChange = log.ProtocolChange, FirstArray = log.FirstArray };
}
