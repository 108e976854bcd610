using System.Text;
using Temper.Formats.Json;
using Temper.Scan.Artifacts;
using Temper.Scan.Rules;

namespace Temper.Scan.Configs;

/// <summary>JSON inside another file: what Keras says of a model's layers in HDF5 and TensorFlow files.</summary>
internal static class EmbeddedJson
{
    /// <summary>Judges the text as a configuration; one that does not parse leaves the file unknown, since its loader would read it.</summary>
    public static void Judge(Draft draft, string json, string place)
    {
        try
        {
            draft.AddRange(CodeReferences.Find(JsonTreeReader.Read(Encoding.UTF8.GetBytes(json)), place));
        }
        catch (JsonTreeException e)
        {
            draft.Add(ConfigCards.Json.At(place, "The JSON does not parse.", e.Message));
            draft.Incomplete();
        }
    }
}
