using System.Text;

namespace Temper.Tests;

/// <summary>Assembles pickles from text and bytes; nothing here is ever loaded.</summary>
internal static class PickleBytes
{
    /// <summary>Latin-1: every char is one byte.</summary>
    public static byte[] Of(params string[] parts) => Encoding.Latin1.GetBytes(string.Concat(parts));

    public static string Short(string text) => $"\u008c{(char)text.Length}{text}";
}
