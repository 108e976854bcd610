using Temper.Bench.Store;

namespace Temper.Bench.Tests.Store;

public sealed class ObjectStoreTests : IDisposable
{
    private const string Key = "0123456789abcdef0123456789abcdef";
    private readonly string _folder = Directory.CreateTempSubdirectory("temper-store").FullName;

    [Fact]
    public void An_object_is_seen_when_it_is_whole()
    {
        var store = new ObjectStore(_folder);
        store.Write(Key, folder =>
        {
            File.WriteAllText(Path.Combine(folder, "a.txt"), "whole");
            Assert.False(store.Has(Key), "it is being written");
        });

        Assert.Equal("whole", File.ReadAllText(Path.Combine(store.Folder(Key), "a.txt")));
        Assert.Empty(Directory.GetDirectories(Path.Combine(_folder, "aside")));
    }

    [Fact]
    public void What_fails_leaves_nothing_behind()
    {
        var store = new ObjectStore(_folder);
        Assert.Throws<InvalidOperationException>(() => store.Write(Key, folder =>
        {
            File.WriteAllText(Path.Combine(folder, "a.txt"), "half");
            throw new InvalidOperationException("broken");
        }));

        Assert.False(store.Has(Key));
        Assert.Empty(Directory.GetDirectories(Path.Combine(_folder, "aside")));
    }

    [Fact]
    public void An_object_is_written_once()
    {
        var store = new ObjectStore(_folder);
        store.Write(Key, folder => File.WriteAllText(Path.Combine(folder, "a.txt"), "first"));
        store.Write(Key, _ => Assert.Fail("it is there"));
        Assert.Equal("first", File.ReadAllText(Path.Combine(store.Folder(Key), "a.txt")));
    }

    [Fact]
    public void The_leavings_of_dead_writers_are_swept_and_those_of_living_ones_are_not()
    {
        var store = new ObjectStore(_folder);
        foreach (var process in (int[])[1, 2])
        {
            Directory.CreateDirectory(Path.Combine(_folder, "aside", $"0123-{process}-x"));
        }

        store.Sweep(process => process == 2);
        Assert.Equal(["0123-2-x"], Directory.GetDirectories(Path.Combine(_folder, "aside")).Select(Path.GetFileName));
    }

    [Fact]
    public void A_store_that_cannot_be_written_says_so()
    {
        var file = Path.Combine(_folder, "file");
        File.WriteAllText(file, "");
        Assert.Contains(file, Assert.Throws<StoreException>(() => new ObjectStore(file)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_full_disk_is_the_fault_of_the_store_and_not_of_the_stage()
    {
        Assert.SkipUnless(File.Exists("/dev/full"), "there is no /dev/full on this system");
        var store = new ObjectStore(_folder);
        var error = Assert.Throws<StoreException>(() => store.Write(Key, _ =>
        {
            using var full = new FileStream("/dev/full", FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
            full.Write("too much"u8);
        }));

        Assert.Contains("No space left on device", error.Message, StringComparison.Ordinal);
        Assert.False(store.Has(Key));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
