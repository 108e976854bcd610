namespace Temper.Scan.Tests.Corpus;

/// <summary>One hostile folder or file, generated, inert and never loaded; <paramref name="Expected"/> is the least verdict that a scan must reach.</summary>
internal sealed record Fixture(string Row, string Title, Verdict Expected, params (string Name, byte[] Bytes)[] Files)
{
    public override string ToString() => $"{Row} {Title}";

    public void Write(string folder)
    {
        foreach (var (name, bytes) in Files)
        {
            var path = Path.Combine(folder, name);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllBytes(path, bytes);
        }
    }
}
