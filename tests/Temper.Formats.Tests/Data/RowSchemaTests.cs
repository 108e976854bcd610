namespace Temper.Formats.Tests.Data;

public sealed class RowSchemaTests
{
    [Theory]
    [InlineData("alpaca", """{"instruction":"sort","input":"b a","output":"a b"}""", "User instruction: sort | Context input: b a | Assistant output: a b")]
    [InlineData("alpaca", """{"instruction":"c","history":[["a","b"]],"output":"d"}""", "User history[0][0]: a | Assistant history[0][1]: b | User instruction: c | Assistant output: d")]
    [InlineData("sharegpt", """{"conversations":[{"from":"human","value":"a"},{"from":"gpt","value":"b"}]}""", "User conversations[0].value: a | Assistant conversations[1].value: b")]
    [InlineData("chat", """{"messages":[{"role":"system","content":"s"},{"role":"user","content":[{"type":"text","text":"a"}]},{"role":"assistant","content":"b"}]}""", "System messages[0].content: s | User messages[1].content[0]: a | Assistant messages[2].content: b")]
    [InlineData("tool-calls", """{"conversations":[{"from":"human","value":"a"},{"from":"function_call","value":"{}"},{"from":"observation","value":"r"}],"tools":"t"}""", "System tools: t | User conversations[0].value: a | Assistant conversations[1].value: {} | Tool conversations[2].value: r")]
    [InlineData("tool-calls", """{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":null,"tool_calls":[{"function":{"name":"f","arguments":"{1}"}}]}]}""", "User messages[0].content: a | Assistant messages[1].tool_calls[0]: {1}")]
    [InlineData("prompt-completion", """{"prompt":"a","completion":"b"}""", "User prompt: a | Assistant completion: b")]
    [InlineData("prompt-completion", """{"question":"1+1","answer":2}""", "User question: 1+1 | Assistant answer: 2")]
    [InlineData("preference", """{"prompt":"a","chosen":"b","rejected":"c"}""", "User prompt: a | Rejected rejected: c | Assistant chosen: b")]
    [InlineData("preference", """{"conversations":[{"from":"human","value":"a"}],"chosen":{"from":"gpt","value":"b"},"rejected":{"from":"gpt","value":"c"}}""", "User conversations[0].value: a | Rejected rejected.value: c | Assistant chosen.value: b")]
    [InlineData("kto", """{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}],"label":false}""", "User messages[0].content: a | Assistant messages[1].content: b")]
    [InlineData("kto", """{"prompt":"a","completion":"b","label":true}""", "User prompt: a | Assistant completion: b")]
    [InlineData("label", """{"text":"a","label":1}""", "User text: a | Assistant label: 1")]
    [InlineData("text", """{"text":"a"}""", "Text text: a")]
    public void A_layout_is_told_by_its_keys(string schema, string json, string fields)
    {
        var row = Assert.Single(Rows.Read(json + "\n"));

        Assert.Equal((schema, fields), (row.Schema, Rows.Show(row)));
    }

    [Fact]
    public void A_bare_list_of_turns_is_a_row()
    {
        var rows = Rows.Read("""[[{"role":"system","content":"s"},{"role":"user","content":"a"}],[{"role":"user","content":"b"}]]""");

        Assert.Equal(["System [0].content: s | User [1].content: a", "User [0].content: b"], rows.Select(Rows.Show));
    }
}
