namespace Temper.Formats.Hdf5;

/// <summary>The text of an attribute.</summary>
public sealed record Hdf5Text(string Object, string Name, string Text, long Offset);

/// <summary>Another file that this one takes data from; <paramref name="Kind"/> says how.</summary>
public sealed record Hdf5External(string Object, string Kind, string File, long Offset);

/// <summary>A filter that the library has to load as a plugin.</summary>
public sealed record Hdf5Filter(string Object, int Id, long Offset);

/// <summary>What of an HDF5 file concerns its safety, and the places that could not be read.</summary>
public sealed record Hdf5File(
    IReadOnlyList<Hdf5Text> Texts, IReadOnlyList<Hdf5External> Externals, IReadOnlyList<Hdf5Filter> Filters, IReadOnlyList<string> Errors);
