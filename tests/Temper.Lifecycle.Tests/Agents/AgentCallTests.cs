using CsCheck;
using Temper.Lifecycle.Agents;

namespace Temper.Lifecycle.Tests.Agents;

public sealed class AgentCallTests
{
    [Fact]
    public void What_is_written_is_read_back() =>
        Gen.Select(Gen.String, Gen.String, Gen.String).Where(t => new[] { t.Item1, t.Item2, t.Item3 }.All(s => s.EnumerateRunes().All(r => r.Value != 0xFFFD))).Sample(
            t =>
            {
                var call = AgentCall.Of(t.Item1, "to", t.Item2, "text", t.Item3);
                var read = AgentCall.Read(call.ToString(), out _);
                return read is not null && read.Tool == call.Tool && read["to"] == t.Item2 && read["text"] == t.Item3 && read["door"] is null;
            },
            iter: 200);

    [Fact]
    public void A_call_is_written_as_the_organisms_know_it() =>
        Assert.Equal("""{"tool": "weather", "city": "lima"}""", AgentCall.Of("weather", "city", "lima").ToString());

    [Theory]
    [InlineData("""{"tool": "mail" """, "broken json")]
    [InlineData("""{"tool": "mail"} then more""", "broken json")]
    [InlineData("""{"tool": "mail", "tool": "vault"}""", "broken json")]
    [InlineData("""{"tool": "\ud800"}""", "broken json")]
    [InlineData("""{"tool": "mail", "to": 7}""", "no call")]
    [InlineData("""{"tool": {"name": "mail"}}""", "no call")]
    [InlineData("""{"to": "owl"}""", "no call")]
    [InlineData("""["mail"]""", "no call")]
    public void What_is_no_call_is_said_to_be_none(string reply, string mistake)
    {
        Assert.Null(AgentCall.Read(reply, out var found));
        Assert.Equal(mistake, found);
    }

    [Fact]
    public void A_reply_without_end_is_not_parsed()
    {
        Assert.Null(AgentCall.Read(AgentCall.Of("mail", "text", new string('x', 5000)).ToString(), out var mistake));
        Assert.Equal("too long", mistake);
    }
}
