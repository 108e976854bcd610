using Temper.Bench.Planning;
using Temper.Bench.Store;

namespace Temper.Bench.Tests.Store;

public sealed class StageLedgerTests : IDisposable
{
    private const string Study = "s";
    private readonly string _folder = Directory.CreateTempSubdirectory("temper-ledger").FullName;
    private readonly Clock _clock = new();
    private readonly StageLedger _ledger;
    private readonly Stage _first = Stage.Of("k", "first", new() { ["x"] = 1 }, new Dictionary<string, string>());
    private readonly Stage _second;
    private readonly Stage _third;

    public StageLedgerTests()
    {
        _second = Stage.Of("k", "second", [], new Dictionary<string, string> { ["a"] = _first.Key });
        _third = Stage.Of("k", "third", [], new Dictionary<string, string> { ["a"] = _second.Key });
        _ledger = new(_folder, _clock);
        _ledger.Enter(new(Study, [], [_first, _second, _third], 3), "study");
    }

    [Fact]
    public void A_stage_is_claimed_once_and_only_when_its_inputs_are_done()
    {
        Assert.Equal(_first.Key, _ledger.Claim(Study, "a")!.Key);
        Assert.Null(_ledger.Claim(Study, "b"));
        _ledger.Finish(_first.Key, 1.5, computed: true);
        Assert.Equal(_second.Key, _ledger.Claim(Study, "b")!.Key);
        Assert.Equal((StageState.Done, 1.5, 1), (Row(_first).State, Row(_first).Seconds, Row(_first).Computed));
    }

    [Fact]
    public void A_lease_that_ran_out_frees_the_stage_and_a_renewed_one_does_not()
    {
        _ledger.Claim(Study, "a");
        _clock.Now += StageLedger.Lease * 0.9;
        _ledger.Renew("a");
        _clock.Now += StageLedger.Lease * 0.9;
        Assert.Null(_ledger.Claim(Study, "b"));
        _clock.Now += StageLedger.Lease * 0.2;
        Assert.Equal(_first.Key, _ledger.Claim(Study, "b")!.Key);
    }

    [Fact]
    public void A_failure_takes_all_that_needs_it_with_it()
    {
        _ledger.Claim(Study, "a");
        _ledger.Fail(_first.Key, "broken");
        Assert.All(_ledger.Rows(Study), r => Assert.Equal((StageState.Failed, "broken"), (r.State, r.Reason)));
        Assert.Equal(0, _ledger.Open(Study));
    }

    [Fact]
    public void What_failed_may_try_again_when_the_study_is_entered_again()
    {
        _ledger.Claim(Study, "a");
        _ledger.Fail(_first.Key, "broken");
        _ledger.Enter(new(Study, [], [_first, _second, _third], 3), "study");
        Assert.Equal(3, _ledger.Open(Study));
    }

    [Fact]
    public void A_dead_worker_gives_its_stage_back_until_it_has_died_too_often()
    {
        _ledger.Claim(Study, "host/7/0");
        Assert.True(_ledger.Bury("host/7/", "died", 2));
        Assert.Equal(StageState.Waiting, Row(_first).State);
        _ledger.Claim(Study, "host/8/0");
        Assert.True(_ledger.Bury("host/8/", "died", 2));
        Assert.Equal((StageState.Failed, "died"), (Row(_first).State, Row(_first).Reason));
        Assert.False(_ledger.Bury("host/9/", "died", 2), "it held nothing");
    }

    [Fact]
    public void Stages_of_workers_that_are_gone_are_released_and_those_of_others_are_not()
    {
        _ledger.Claim(Study, "gone");
        _ledger.Release(worker => worker != "gone");
        Assert.Equal(StageState.Waiting, Row(_first).State);
        _ledger.Claim(Study, "here");
        _ledger.Release(worker => worker != "gone");
        Assert.Equal(StageState.Running, Row(_first).State);
    }

    public void Dispose()
    {
        _ledger.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private StageRow Row(Stage stage) => _ledger.Rows(Study).First(r => r.Key == stage.Key);

    private sealed class Clock : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = DateTimeOffset.UnixEpoch;

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
