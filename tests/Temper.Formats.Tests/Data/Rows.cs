using System.Text;
using Temper.Formats.Bytes;
using Temper.Formats.Data;

namespace Temper.Formats.Tests.Data;

/// <summary>Reads text as a data set.</summary>
internal static class Rows
{
    public static DataFile? Open(byte[] bytes, DataLimits? limits = null, bool anyText = false) => DataFile.Open(ByteSource.Of(bytes), limits, anyText);

    public static DataRow[] Read(byte[] bytes, DataLimits? limits = null) => [.. Open(bytes, limits)!.Read(TestContext.Current.CancellationToken)];

    public static DataRow[] Read(string text, DataLimits? limits = null) => Read(Encoding.UTF8.GetBytes(text), limits);

    public static string Show(DataRow row) => string.Join(" | ", row.Fields.Select(f => $"{f.Role} {f.Name}: {f.Text}"));
}
