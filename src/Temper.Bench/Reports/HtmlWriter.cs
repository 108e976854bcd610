using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Unicode;

namespace Temper.Bench.Reports;

/// <summary>Builds a page line by line; whatever stands in the holes of an interpolated string is encoded, so that forgetting is not possible.</summary>
internal sealed class HtmlWriter
{
    private static readonly HtmlEncoder s_encoder = HtmlEncoder.Create(UnicodeRanges.All);
    private readonly StringBuilder _html = new();

    public void Line([InterpolatedStringHandlerArgument("")] ref Handler line) => line.End();

    /// <summary>Only for text of Temper itself: the style sheet.</summary>
    public void Trusted(string text) => _html.Append(text).Append('\n');

    public override string ToString() => _html.ToString();

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

        public void AppendFormatted(string? text) => _html.Append(s_encoder.Encode(ReportText.Visible(text)));

        public void AppendFormatted(int value) => _html.Append(CultureInfo.InvariantCulture, $"{value}");

        public void AppendFormatted(double value, string format) => _html.Append(ReportText.Number(value, format));

        public void End() => _html.Append('\n');
    }
}
