namespace Temper.Formats.Pickle;

/// <summary>Collects events; repeats of one callable are counted, not kept, since a checkpoint rebuilds tensors by the hundred thousand.</summary>
internal sealed class PickleLog(PickleBudget budget)
{
    private const int KeptRepeats = 8;
    private readonly List<PickleEvent> _events = [];
    private readonly Dictionary<(PickleEventKind, string, string), int> _seen = [];

    public IReadOnlyList<PickleEvent> Events => _events;

    public int Count { get; private set; }

    public long? FrameMismatch { get; set; }

    public long? ProtocolChange { get; set; }

    public long? FirstArray { get; set; }

    public List<PickleBlob> Blobs { get; } = [];

    public List<PickleStorage> Storages { get; } = [];

    public bool WantsBlob => Blobs.Count < budget.Blobs;

    public bool IsFull => _events.Count >= budget.Events;

    public bool Wants(PickleEventKind kind, string module, string name)
    {
        Count++;
        var key = (kind, module, name);
        var n = _seen.GetValueOrDefault(key);
        _seen[key] = n + 1;
        return n < KeptRepeats && !IsFull;
    }

    public void Add(PickleEvent found) => _events.Add(found);
}
