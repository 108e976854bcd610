using System.Text;
using Temper.Formats.Json;
using Temper.Scan.Artifacts;
using Temper.Scan.Rules;

namespace Temper.Scan.Configs;

/// <summary>JSON inside another file: what Keras says of a model's layers in HDF5 and TensorFlow files.</summary>
internal static class EmbeddedJson
{
    /// <summary>Judges the text as a configuration; where it must parse and does not, the file stays unknown.</summary>
    public static void Judge(Draft draft, string json, string place, bool mustParse = true)
    {
        try
        {
            draft.AddRange(CodeReferences.Find(JsonTreeReader.Read(Encoding.UTF8.GetBytes(json)), place));
        }
        catch (JsonTreeException e)
        {
            if (mustParse)
            {
                draft.Add(ConfigCards.Json.At(place, "The JSON does not parse.", e.Message));
                draft.Incomplete();
            }
        }
    }
}
