using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Unicode;

namespace Temper.Core.Pages;

/// <summary>Builds a page line by line; whatever stands in the holes of an interpolated string is encoded, so that forgetting is not possible.</summary>
public sealed class HtmlWriter
{
    private static readonly HtmlEncoder s_encoder = HtmlEncoder.Create(UnicodeRanges.All);
    private readonly StringBuilder _html = new();

    /// <summary>The page up to its body: no network, no script; the policy forbids both even if an encoding were forgotten.</summary>
    public void Head(string title, string css = "")
    {
        Line($"<!doctype html>");
        Line($"<html lang=\"en\"><head><meta charset=\"utf-8\">");
        Line($"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">");
        Line($"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">");
        Line($"<title>{title}</title><style>");
        Trusted($"{Stylesheet.Css}{css}".ReplaceLineEndings("\n"));
        Line($"</style></head><body>");
    }

    /// <summary>A line of markup.</summary>
    public void Line([InterpolatedStringHandlerArgument("")] ref Handler line) => line.End();

    /// <summary>Only for text of Temper itself: the style sheet.</summary>
    public void Trusted(string text) => _html.Append(text).Append('\n');

    public override string ToString() => _html.ToString();

    /// <summary>Literals as they are, holes encoded.</summary>
    [InterpolatedStringHandler]
    public readonly ref struct Handler
    {
        private readonly StringBuilder _html;

        public Handler(int literalLength, int formattedCount, HtmlWriter writer)
        {
            _ = literalLength + formattedCount;
            _html = writer._html;
        }

        public void AppendLiteral(string text) => _html.Append(text);

        public void AppendFormatted(string? text) => _html.Append(s_encoder.Encode(PageText.Visible(text)));

        public void AppendFormatted(int value) => _html.Append(CultureInfo.InvariantCulture, $"{value}");

        public void AppendFormatted(double value, string format) => _html.Append(PageText.Number(value, format));

        public void End() => _html.Append('\n');
    }
}
