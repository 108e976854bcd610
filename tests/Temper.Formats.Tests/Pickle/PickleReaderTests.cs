using Temper.Formats.Bytes;
using Temper.Formats.Pickle;
using Temper.Tests;
using static Temper.Tests.PickleBytes;

namespace Temper.Formats.Tests.Pickle;

public sealed class PickleReaderTests
{
    private static PickleTrace Read(byte[] pickle, PickleBudget? budget = null) =>
        PickleReader.Read(ByteSource.Of(pickle), budget, cancellation: TestContext.Current.CancellationToken);

    public static TheoryData<string, string, string> Imports() => new()
    {
        { "GLOBAL", "cmod\nname\n.", "mod.name" },
        { "INST", "(S'inert'\nimod\nname\n.", "mod.name" },
        { "OBJ popped", "(cmod\nname\nS'inert'\no0N.", "mod.name" },
        { "STACK_GLOBAL", "\u0080\u0004" + Short("mod") + Short("name") + "\u0093.", "mod.name" },
        { "dotted STACK_GLOBAL", "\u0080\u0004" + Short("site") + Short("os.system") + "\u0093.", "site.os.system" },
        { "escaped names", "\u0080\u0004Vm\\u006fd\nS'n\\x61me'\n\u0093.", "mod.name" },
        { "BINUNICODE8", "\u0080\u0004\u008d\u0003\0\0\0\0\0\0\0mod" + Short("name") + "\u0093.", "mod.name" },
        { "memo overwritten by MEMOIZE", "\u0080\u0004" + Short("bad") + "q\u0001" + Short("mod") + "\u009400h\u0001" + Short("name") + "\u0093.", "mod.name" },
        { "mixed PUT", "\u0080\u0004Vmod\np7\n0Vname\nr\u0008\0\0\00g7\nj\u0008\0\0\0\u0093.", "mod.name" },
        { "compat module", "\u0080\u0002ccommands\ngetoutput\n.", "subprocess.getoutput" },
        { "compat name", "\u0080\u0002citertools\nimap\n.", "builtins.map" },
        { "no compat at protocol 3", "\u0080\u0003ccommands\ngetoutput\n.", "commands.getoutput" },
        { "extension", "ccopy_reg\nadd_extension\n(Vmod\nVname\nK\u0007tR0\u0082\u0007.", "mod.name" },
        { "second stream", "N.N.cmod\nname\n.", "mod.name" },
        { "after a broken frame", "\u0080\u0004\u0095\u00ff\0\0\0\0\0\0\0cmod\nname\n.", "mod.name" },
        { "PROTO in the middle", "N0\u0080\u0002cmod\nname\n.", "mod.name" },
    };

    [Theory]
    [MemberData(nameof(Imports))]
    public void Every_way_to_name_a_callable_is_seen(string why, string pickle, string name)
    {
        var trace = Read(Of(pickle));

        Assert.True(trace.Events.Any(e => e.Kind == PickleEventKind.Import && e.FullName == name), $"{why}: no import of {name}");
        Assert.Equal(PickleEnd.Stop, trace.End);
    }

    [Theory]
    [InlineData("cmod\nname\n(S'inert'\ntR.")]
    [InlineData("\u0080\u0002cmod\nname\n)\u0081.")]
    [InlineData("\u0080\u0004cmod\nname\n)}\u0092.")]
    [InlineData("(cmod\nname\no.")]
    [InlineData("(imod\nname\n.")]
    public void Every_way_to_call_is_seen(string pickle) =>
        Assert.Contains(Read(Of(pickle)).Events, e => e is { Kind: PickleEventKind.Call, FullName: "mod.name", Resolved: true });

    [Theory]
    [InlineData("g99\n.", PickleEnd.Malformed)]
    [InlineData("", PickleEnd.Truncated)]
    [InlineData("\u00ff", PickleEnd.InvalidOpcode)]
    [InlineData("X\u00ff\u00ff\u00ff\u007f", PickleEnd.Truncated)]
    [InlineData("\u008b\u00ff\u00ff\u00ff\u00ff.", PickleEnd.Malformed)]
    [InlineData("\u0080\u0006.", PickleEnd.InvalidOpcode)]
    public void What_was_found_before_an_error_is_kept(string tail, PickleEnd end)
    {
        var trace = Read(Of("cmod\nname\n(S'inert'\ntR", tail));

        Assert.Equal(end, trace.End);
        Assert.Contains(trace.Events, e => e is { Kind: PickleEventKind.Call, FullName: "mod.name" });
    }

    [Fact]
    public void Calls_of_results_and_writes_on_imports_are_seen()
    {
        var trace = Read(Of("cfunctools\npartial\n(cmod\nname\ntR)R0cmod\nname\nVk\nVv\ns."));

        Assert.Contains(trace.Events, e => e is { Kind: PickleEventKind.Call, FullName: "functools.partial", Resolved: false });
        Assert.Contains(trace.Events, e => e is { Kind: PickleEventKind.Write, FullName: "mod.name" });
    }

    [Fact]
    public void Limits_end_the_reading()
    {
        Assert.Equal(PickleEnd.Budget, Read(Of("N", new string('2', 5000), "."), new PickleBudget { StackDepth = 100 }).End);
        Assert.Equal(PickleEnd.Budget, Read(Of(new string('(', 5000)), new PickleBudget { Steps = 100 }).End);
    }

    [Fact]
    public void Raw_bytes_after_the_last_pickle_are_not_a_pickle()
    {
        var trace = Read(Of("N.", "\u00ff\u00fe\u0000"));

        Assert.Equal(PickleEnd.Stop, trace.End);
        Assert.Equal(2, trace.TrailingOffset);
    }

    [Fact]
    public void Mutated_pickles_never_throw()
    {
        const int seed = 20260731;
        var random = new Random(seed);
        var seeds = Imports().Select(row => Of((string)row.Data.Item2)).ToArray();
        var budget = new PickleBudget { Steps = 10_000, StackDepth = 1000, MemoSize = 1000 };
        for (var i = 0; i < 50_000; i++)
        {
            byte[] bytes = [.. seeds[random.Next(seeds.Length)], .. seeds[random.Next(seeds.Length)]];
            for (var n = random.Next(1, 6); n > 0; n--)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }

            var trace = PickleReader.Read(ByteSource.Of(bytes), budget, cancellation: TestContext.Current.CancellationToken);
            Assert.True(trace.Steps <= budget.Steps + 1, $"seed {seed}, round {i}: {trace.Steps} steps");
        }
    }
}
