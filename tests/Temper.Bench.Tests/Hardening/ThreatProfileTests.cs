using Temper.Bench.Hardening;
using Temper.Core;

namespace Temper.Bench.Tests.Hardening;

public sealed class ThreatProfileTests
{
    [Fact]
    public void Every_profile_that_ships_is_read_under_its_name()
    {
        Assert.Contains("lifecycle", ThreatProfile.Names);
        Assert.All(ThreatProfile.Names, n => Assert.Equal(n, ThreatProfile.Read(n).Name));
    }

    [Fact]
    public void An_unknown_one_is_an_error_that_lists_the_known_and_one_with_mistakes_names_their_lines()
    {
        Assert.Contains("expected a file or one of: deployment, lifecycle", Assert.Throws<TemperException>(() => ThreatProfile.Read("nobody")).Message, StringComparison.Ordinal);

        var file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, "schema: 1\nname: x\ndescription: y\nattacks: [none, safe-instr]\ncandidates: [prefill, [lisa, none]]\n");
            var message = Assert.Throws<TemperException>(() => ThreatProfile.Read(file)).Message;
            Assert.All((string[])[":4:", "none 2 times", "attacks[1]: found safe-instr, no attack", "candidates[0]: found prefill, an attack", "candidates[1]: found none among others"],
                e => Assert.Contains(e, message, StringComparison.Ordinal));
        }
        finally
        {
            File.Delete(file);
        }
    }
}
