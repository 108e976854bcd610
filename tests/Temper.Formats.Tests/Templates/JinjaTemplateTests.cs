using Temper.Formats.Json;
using Temper.Formats.Templates;
using Temper.Tests;

namespace Temper.Formats.Tests.Templates;

public sealed class JinjaTemplateTests
{
    private static readonly DateTime s_day = new(2026, 1, 2);

    [Theory]
    [InlineData("llama3_1")]
    [InlineData("qwen2_5")]
    public void Real_templates_render_the_golden_chats(string model)
    {
        var config = JsonTreeReader.Read(File.ReadAllBytes(TestData.Require("tokenizers", model, "tokenizer_config.json")));
        var golden = JsonTreeReader.Read(File.ReadAllBytes(TestData.Require("tokenizers", model, "golden.json")));
        var template = JinjaTemplate.Parse(config["chat_template"]!.Text);
        foreach (var chat in golden["chat"]!.Items)
        {
            var variables = new Dictionary<string, object?>(StringComparer.Ordinal)
            {
                ["messages"] = chat["messages"], ["add_generation_prompt"] = chat["add_generation_prompt"], ["bos_token"] = config["bos_token"]?.String, ["eos_token"] = config["eos_token"]?.String,
            };
            if (chat["tools"] is { } tools)
            {
                variables["tools"] = tools;
            }

            Assert.Equal(chat["rendered"]!.Text, template.Render(variables, s_day));
        }
    }

    [Theory]
    [InlineData("{% for i in [1, 2, 3] if i != 2 %}{{ loop.index }}:{{ i }}{% if not loop.last %},{% endif %}{% endfor %}", "1:1,2:3")]
    [InlineData("{% set ns = namespace(n=0) %}{% for i in range(4) %}{% set ns.n = ns.n + i %}{% endfor %}{{ ns.n }}", "6")]
    [InlineData("{% set x = 1 %}{% for i in [1] %}{% set x = 2 %}{% endfor %}{{ x }}", "1")]
    [InlineData("{% macro m(a, b='y') %}[{{ a }}{{ b }}]{% endmacro %}{{ m('x') }}{{ m(b=1, a=2) }}", "[xy][21]")]
    [InlineData("{{ 'a,b,c'.split(',')[1:] | join('-') }}|{{ '  x '.strip() }}|{{ 'abc'[::-1] }}|{{ 'abc'[-1] }}", "b-c|x|cba|c")]
    [InlineData("{{ {'a': [1, true, none, 'é\"']} | tojson }}", "{\"a\": [1, true, null, \"é\\\"\"]}")]
    [InlineData("{{ [1, 'a', none, true, 1.0] }}{{ {'k': \"it's\"} }}", "[1, 'a', None, True, 1.0]{'k': \"it's\"}")]
    [InlineData("{{ x is defined }}{{ x | default('d') }}{{ x }}{{ (x.y if x else 'no') }}", "Falsedno")]
    [InlineData("a\n  {% if true %}\n  b\n  {% endif %}\nc", "a\n  b\nc")]
    [InlineData("a  {{- ' b ' -}}  c {#- gone -#} d", "a b cd")]
    [InlineData("{{ 7 // 2 }} {{ -7 // 2 }} {{ 7 % 3 }} {{ 7 / 2 }} {{ 2 ** 3 }} {{ '1' ~ 2 }}", "3 -4 1 3.5 8 12")]
    [InlineData("{{ messages | selectattr('role', 'equalto', 'user') | map(attribute='content') | join('+') }}", "hi+yo")]
    [InlineData("{{ strftime_now('%d %b %Y') }}", "02 Jan 2026")]
    [InlineData("{% set t %}x{{ 1 }}{% endset %}{{ t }}{% filter upper %}y{% endfilter %}", "x1Y")]
    [InlineData("{% generation %}{{ messages[0].content }}{% endgeneration %}\n", "hi")]
    public void It_renders_as_Jinja_does(string template, string expected)
    {
        var messages = new[] { ("user", "hi"), ("assistant", "ok"), ("user", "yo") }
            .Select(m => new Dictionary<string, object?>(StringComparer.Ordinal) { ["role"] = m.Item1, ["content"] = m.Item2 }).ToList();
        Assert.Equal(expected, JinjaTemplate.Parse(template).Render(new Dictionary<string, object?>(StringComparer.Ordinal) { ["messages"] = messages }, s_day));
    }

    [Theory]
    [InlineData("{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}", "steps")]
    [InlineData("{% set ns = namespace(s='aaaaaaaaaaaaaaaa') %}{% for i in range(60) %}{% set ns.s = ns.s + ns.s %}{% endfor %}", "characters")]
    [InlineData("{{ 'a' * 10000000000 }}", "characters")]
    [InlineData("{{ range(10000000000) }}", "range")]
    [InlineData("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "inside each other")]
    [InlineData("{{ ''.__class__.__mro__ }}", "undefined")]
    [InlineData("{{ messages.append(1) }}", "sandbox")]
    [InlineData("{{ lipsum.__globals__ }}", "undefined")]
    [InlineData("{{ missing.part }}", "undefined")]
    [InlineData("{% include 'x' %}", "include")]
    [InlineData("{{ 1 | attr('__class__') }}", "filter attr")]
    public void What_escapes_or_explodes_is_refused(string template, string expected)
    {
        var error = Assert.Throws<JinjaRenderException>(() => JinjaTemplate.Parse(template).Render(new Dictionary<string, object?>(StringComparer.Ordinal) { ["messages"] = new List<object?>() }, s_day));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.False(error.IsRaised);
    }

    [Fact]
    public void What_a_template_raises_is_told_in_its_words()
    {
        var error = Assert.Throws<JinjaRenderException>(() => JinjaTemplate.Parse("{{ raise_exception('Roles must alternate') }}").Render(new Dictionary<string, object?>(StringComparer.Ordinal), s_day));
        Assert.Equal("Roles must alternate", error.Message);
        Assert.True(error.IsRaised);
    }
}
