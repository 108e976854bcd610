using System.Collections.Frozen;
using Temper.Formats.Containers;
using Temper.Formats.Graphs;
using Temper.Scan.Configs;
using Temper.Scan.Rules;

namespace Temper.Scan.Artifacts;

/// <summary>TensorFlow's protobuf files: what their operations can reach.</summary>
internal static class TensorFlowScan
{
    private static readonly FrozenSet<string> Dangerous = Set("ReadFile WriteFile PyFunc PyFuncStateless EagerPyFunc OpaquePyFunc LoadLibrary");

    // What saves and restores variables: nothing else may lead there.
    private static readonly FrozenSet<string> Saving = Set("Save SaveV2 SaveSlices Restore RestoreV2 RestoreSlice MergeV2Checkpoints");

    private static readonly FrozenSet<string> Reaching = Set("""
        MatchingFiles WholeFileReader WholeFileReaderV2 TextLineReader TextLineReaderV2 FixedLengthRecordReader FixedLengthRecordReaderV2 TFRecordReader TFRecordReaderV2 LMDBReader
        TextLineDataset TFRecordDataset TFRecordDatasetV2 FixedLengthRecordDataset FixedLengthRecordDatasetV2 CSVDataset CSVDatasetV2 ExperimentalCSVDataset SqlDataset
        ExperimentalSqlDataset LMDBDataset ExperimentalLMDBDataset MatchingFilesDataset ExperimentalMatchingFilesDataset LoadDataset SaveDataset SaveDatasetV2 SnapshotDataset
        SnapshotDatasetV2 DistributedSave DatasetToTFRecord ExperimentalDatasetToTFRecord CreateSummaryFileWriter CreateSummaryDbWriter WriteSummary WriteRawProtoSummary
        DebugIdentityV2 DebugIdentityV3 DebugIdentity Rpc TryRpc RpcClient RpcCall RpcServer RemoteCall DataServiceDataset DataServiceDatasetV2 DataServiceDatasetV3 DataServiceDatasetV4
        BigQueryReader BigtableClient CustomCall XlaCustomCall XlaCustomCallV2 RemoteFusedGraphExecute DecodeProtoV2
        """);

    public static void Read(Draft draft, Artifact artifact)
    {
        if (TensorFlowReader.Recognize(artifact.Bytes) is not { } format)
        {
            return;
        }

        draft.Format(format);
        var graph = TensorFlowReader.Read(artifact.Bytes, format, artifact.Cancellation);
        if (graph.Error is { } error)
        {
            draft.Incomplete(GraphCards.Broken, "The file could not be read to its end.", error);
        }

        foreach (var op in graph.Operators)
        {
            Judge(draft, op);
        }

        foreach (var (name, offset) in graph.Assets.Where(a => ArchiveNames.Escapes(a.Name) || a.Name.Contains("://", StringComparison.Ordinal)))
        {
            draft.AddAt(GraphCards.Asset, offset, $"An asset is '{name}'.", name);
        }

        foreach (var (json, offset) in graph.Keras)
        {
            EmbeddedJson.Judge(draft, json, $"{draft.Path}@{offset}");
        }
    }

    private static void Judge(Draft draft, TensorFlowOperator op)
    {
        var where = op.Function.Length == 0 ? $"the node '{op.Node}'" : $"the node '{op.Node}' of the function '{op.Function}'";
        if (Dangerous.Contains(op.Name))
        {
            draft.AddAt(GraphCards.Operation, op.Offset, $"The operation {op.Name} in {where}.", op.Name);
        }
        else if (Reaching.Contains(op.Name) || (Saving.Contains(op.Name) && !op.Saver))
        {
            draft.AddAt(GraphCards.Reach, op.Offset, $"The operation {op.Name} in {where}.", op.Name);
        }
        else if (op.Name is "PrintV2" && op.Output.StartsWith("file:", StringComparison.OrdinalIgnoreCase))
        {
            draft.AddAt(GraphCards.Operation, op.Offset, $"The operation {op.Name} writes to '{op.Output}' in {where}.", op.Output);
        }
        else if (op.Name.Contains('>', StringComparison.Ordinal))
        {
            draft.AddAt(GraphCards.Library, op.Offset, $"The operation {op.Name} in {where}.", op.Name);
        }
    }

    private static FrozenSet<string> Set(string words) =>
        words.Split((char[])[' ', '\n', '\r'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).ToFrozenSet(StringComparer.Ordinal);
}
