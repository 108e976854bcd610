using System.Text;

namespace Temper.Formats.Data;

/// <summary>What a piece of a row's text is to the model that trains on it.</summary>
public enum DataRole
{
    /// <summary>A system prompt or the declaration of tools.</summary>
    System,

    /// <summary>What the model is asked.</summary>
    User,

    /// <summary>Material that is given with the question: a document, an e-mail, a table.</summary>
    Context,

    /// <summary>What a tool returned.</summary>
    Tool,

    /// <summary>What the model learns to say; of a preference pair the chosen answer.</summary>
    Assistant,

    /// <summary>The rejected answer of a preference pair.</summary>
    Rejected,

    /// <summary>Text of unknown use.</summary>
    Text,
}

/// <summary>One piece of text of a row: its role, the field it stands in (<c>messages[1].content</c>) and the text.</summary>
public readonly record struct DataField(DataRole Role, string Name, string Text);

/// <summary>Something about a row's bytes on which readers differ.</summary>
public enum DataFlaw
{
    /// <summary>The row could not be read.</summary>
    Broken,

    /// <summary>The row is longer than the limit and was passed over.</summary>
    TooLong,

    /// <summary>A key stands twice: which value counts depends on the reader.</summary>
    DuplicateKey,

    /// <summary>NaN or Infinity, which is no JSON but which Python reads.</summary>
    NotANumber,

    /// <summary>Half of a surrogate pair, which some readers refuse and others replace.</summary>
    LoneSurrogate,

    /// <summary>A NUL, at which readers in C stop.</summary>
    Nul,

    /// <summary>Bytes that are no UTF-8.</summary>
    BadUtf8,

    /// <summary>More or fewer columns than the header has.</summary>
    Columns,
}

/// <summary>A flaw, the field it is in and what was found there.</summary>
public readonly record struct DataRowFlaw(DataFlaw Flaw, string Field, string Found);

/// <summary>A row as its bytes: counted from 1, with the place of its first byte in the (unpacked) file.</summary>
/// <param name="Number">Counted from 1.</param>
/// <param name="Offset">The byte at which it begins, in the file after unpacking; in Parquet the row's number.</param>
/// <param name="Bytes">The row as it stands in the file; of Parquet a line of JSON.</param>
/// <param name="Flaw">Set where there is no row to read.</param>
public sealed record RawRow(long Number, long Offset, byte[] Bytes, DataRowFlaw? Flaw = null);

/// <summary>A row of training data as text with roles.</summary>
public sealed record DataRow(long Number, long Offset, string Schema, IReadOnlyList<DataField> Fields, IReadOnlyList<DataRowFlaw> Flaws)
{
    /// <summary>The length of the row's bytes.</summary>
    public int Length { get; init; }

    /// <summary>Everything that the last answer answers to: system, user, context and tool texts before it.</summary>
    public string Prompt => Join(r => r is DataRole.System or DataRole.User or DataRole.Context or DataRole.Tool or DataRole.Text);

    /// <summary>The last answer; of plain text nothing.</summary>
    public string Response
    {
        get
        {
            for (var i = Fields.Count - 1; i >= 0; i--)
            {
                if (Fields[i].Role == DataRole.Assistant)
                {
                    return Fields[i].Text;
                }
            }

            return "";
        }
    }

    private string Join(Func<DataRole, bool> wanted)
    {
        var (first, second) = (-1, -1);
        for (var i = 0; i < Fields.Count; i++)
        {
            if (wanted(Fields[i].Role) && Fields[i].Text.Length > 0)
            {
                (first, second) = first < 0 ? (i, -1) : (first, i);
            }
        }

        if (second < 0)
        {
            return first < 0 ? "" : Fields[first].Text;
        }

        var text = new StringBuilder();
        foreach (var field in Fields)
        {
            if (wanted(field.Role) && field.Text.Length > 0)
            {
                text.Append(text.Length > 0 ? "\n" : "").Append(field.Text);
            }
        }

        return text.ToString();
    }
}
