namespace Temper.Scan.Artifacts;

/// <summary>Every format that is read. All of them look at every file, so that a polyglot shows all its faces; none goes by the file's name.</summary>
internal static class ArtifactFormats
{
    public static readonly Action<Draft, Artifact>[] All =
    [
        SafeTensorsScan.Read,
        PickleScan.Read,
        ZipScan.Read,
        Data.DataScan.Read,
        CompressedScan.Read,
        TarScan.Read,
        ForeignScan.Read,
        NpyScan.Read,
        GgufScan.Read,
        Hdf5Scan.Read,
        OnnxScan.Read,
        TensorFlowScan.Read,
        Configs.JsonScan.Read,
        OtherScan.Read,
    ];
}
