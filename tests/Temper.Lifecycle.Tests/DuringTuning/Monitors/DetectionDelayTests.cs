using Temper.Core;
using Temper.Engine.Training;
using Temper.Lifecycle.DuringTuning.Monitors;

namespace Temper.Lifecycle.Tests.DuringTuning.Monitors;

public sealed class DetectionDelayTests
{
    [Fact]
    public void The_threshold_keeps_the_rate_and_the_delay_is_the_first_reading_above_it()
    {
        var benign = Enumerable.Range(0, 10).Select(i => Run(0.0, i / 10.0, 0.1)).ToArray(); // the highest are 0.1, 0.1, 0.2 … 0.9
        var found = DetectionDelay.Of(DriftSignal.RefusalLoss, benign, [Run(0.1, 0.85, 0.95), Run(0.2, 0.3, 0.4), Run(0.9, 0, 0)], falseAlarmRate: 0.1);

        Assert.Equal(0.8, found.Threshold, 9);
        Assert.Equal(0.1, found.FalseAlarms.Value!.Value, 9);
        Assert.Equal([10, null, 5], found.Delays);
        Assert.Equal(10, found.Median);
        Assert.Equal(2 / 3.0, found.Detected.Value!.Value, 9);
    }

    [Fact]
    public void Where_no_benign_tuning_may_alarm_none_does()
    {
        var found = DetectionDelay.Of(DriftSignal.RefusalLoss, [Run(0.3), Run(0.7)], [Run(0.7)], falseAlarmRate: 0);
        Assert.Equal(0, found.FalseAlarms.Value);
        Assert.Null(found.Median);
    }

    [Fact]
    public void A_signal_that_was_not_read_is_an_error() => Assert.Contains(
        "RowFall", Assert.Throws<TemperException>(() => DetectionDelay.Of(DriftSignal.RowFall, [Run(0.3)], [Run(0.7)], 0.1)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_reading_survives_being_told_as_an_event()
    {
        DriftReading reading = new(7, new Dictionary<DriftSignal, double> { [DriftSignal.RowFall] = -1.5e-7, [DriftSignal.Divergence] = 12345.5 });
        var read = DriftReading.Of(reading.ToEvent())!;

        Assert.Equal(7, read.Step);
        Assert.Equal(reading.Values.OrderBy(v => v.Key), read.Values.OrderBy(v => v.Key));
        Assert.Null(DriftReading.Of(new TrainingEvent(1, "refusal mass 3 %")));
        Assert.Null(DriftReading.Of(new TrainingEvent(1, "reading: Nothing 3")));
    }

    private static DriftReading[] Run(params double[] values) =>
        [.. values.Select((v, i) => new DriftReading(5 * (i + 1), new Dictionary<DriftSignal, double> { [DriftSignal.RefusalLoss] = v }))];
}
