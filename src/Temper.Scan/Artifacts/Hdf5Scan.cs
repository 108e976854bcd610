using Temper.Formats.Hdf5;
using Temper.Scan.Configs;
using Temper.Scan.Rules;

namespace Temper.Scan.Artifacts;

/// <summary>HDF5, in which Keras keeps weights and, in attributes, the model's layers.</summary>
internal static class Hdf5Scan
{
    private const int Lzf = 32000; // h5py brings it along

    public static void Read(Draft draft, Artifact artifact)
    {
        if (!Hdf5Reader.Recognize(artifact.Bytes))
        {
            return;
        }

        draft.Format("hdf5");
        var file = Hdf5Reader.Read(artifact.Bytes, artifact.Cancellation);
        if (file.Errors.Count > 0)
        {
            draft.Incomplete(GraphCards.H5Structure, $"{file.Errors.Count} place(s) could not be read, the first: {file.Errors[0]}.");
        }

        foreach (var external in file.Externals)
        {
            draft.AddAt(GraphCards.H5External, external.Offset, $"The {external.Kind} '{external.Object}' leads to {(external.File.Length == 0 ? "another file" : $"'{external.File}'")}.", external.File);
        }

        foreach (var filter in file.Filters.Where(f => f.Id != Lzf).DistinctBy(f => f.Id))
        {
            draft.AddAt(GraphCards.H5Filter, filter.Offset, $"The data of '{filter.Object}' takes filter {filter.Id}.");
        }

        foreach (var text in file.Texts)
        {
            EmbeddedJson.Judge(draft, text.Text, $"{draft.Path}#{text.Object}.{text.Name}", mustParse: text.Name is "model_config" or "training_config");
        }
    }
}
