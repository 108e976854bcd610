using Temper.Formats.Json;
using Temper.Formats.Templates;
using Temper.Tests;

namespace Temper.Formats.Tests.Templates;

public sealed class JinjaParserTests
{
    [Theory]
    [InlineData("{{ a.b['c'](1, d=2)|trim is none and not e }}")]
    [InlineData("{% for a, b in c.items() if a is not none recursive %}{{ loop.index }}{% else %}x{% endfor %}")]
    [InlineData("{% if a == 'x' %}1{% elif a in ['y', 'z'] %}2{% else %}3{% endif %}")]
    [InlineData("{%- set ns = namespace(found=false) -%}{% set ns.found = true %}{% set x %}body{% endset %}")]
    [InlineData("{% macro m(a, b=1) %}{{ a ~ b }}{% endmacro %}{{ m(1) if x else -2 ** 3 }}")]
    [InlineData("{% raw %}{{ not parsed }}{% endraw %}{# a comment #}{{ 'it''s' \"and\" }}")]
    [InlineData("{% generation %}{{ message['content'][1:-1] }}{% endgeneration %}")]
    [InlineData("{{ {'a': [1, 2.5, (3,)], 'b': {}} }}{{ messages[0].content.split('</think>')[-1].lstrip('\\n') }}")]
    [InlineData("{%- if x is in ['a'] or y is divisibleby 3 %}{% break %}{% endif %}")]
    public void The_Jinja_of_chat_templates_parses(string template) => Assert.NotEmpty(JinjaParser.Parse(template).Children);

    [Theory]
    [InlineData("{% if a %}", 10)]
    [InlineData("{{ a b }}", 5)]
    [InlineData("{% unknown %}", 3)]
    [InlineData("{{ 'open }}", 3)]
    [InlineData("text {# open", 5)]
    [InlineData("{% endif %}", 0)]
    public void What_does_not_parse_is_refused_at_its_character(string template, int offset) => Assert.Equal(offset, Assert.Throws<JinjaException>(() => JinjaParser.Parse(template)).Offset, 3.0);

    [Theory]
    [InlineData("(")]
    [InlineData("[")]
    [InlineData("not ")]
    [InlineData("- ")]
    [InlineData("a if ")]
    public void Nesting_is_bounded(string open) => Assert.Throws<JinjaException>(() => JinjaParser.Parse("{{ " + string.Concat(Enumerable.Repeat(open, 50_000)) + " }}"));

    [Fact]
    public void Long_chains_neither_overflow_the_stack_nor_hang()
    {
        var tree = JinjaParser.Parse("{{ a" + string.Concat(Enumerable.Repeat(".b", 100_000)) + " }}");

        Assert.Equal(100_000, tree.Walk().Count(n => n.Kind == JinjaKind.Attribute));
        Assert.Contains("Attribute'b'", tree.Outline(), StringComparison.Ordinal);
    }

    [Fact]
    public void Escapes_of_strings_are_those_of_Python() =>
        Assert.Contains(JinjaParser.Parse(@"{{ '\x5f\u005f\137\n\q' }}").Walk(), n => n.Kind == JinjaKind.String && n.Text == "___\n\\q");

    [Theory]
    [InlineData("llama3_1")]
    [InlineData("qwen2_5")]
    public void Templates_of_real_models_parse(string model)
    {
        var config = JsonTreeReader.Read(File.ReadAllBytes(TestData.Require("tokenizers", model, "tokenizer_config.json")));

        Assert.True(JinjaParser.Parse(config["chat_template"]!.Text).Walk().Count() > 20);
    }
}
