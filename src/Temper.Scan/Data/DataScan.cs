using System.Globalization;
using System.Text.RegularExpressions;
using Temper.Formats.Data;
using Temper.Scan.Artifacts;
using Temper.Scan.Data.Rules;
using Temper.Scan.Rules;

namespace Temper.Scan.Data;

/// <summary>Training data in two passes: the first learns what is usual in the data set, the second judges every row. Memory does not depend on the size of the file.</summary>
internal static partial class DataScan
{
    private const int FewestForShare = 20;
    private const double AgreeingShare = 0.6;
    private const int FewestEnciphered = 10;
    private const double EncipheredShare = 0.01;

    public static void Read(Draft draft, Artifact artifact)
    {
        var options = artifact.Options.Data;
        if (DataFile.Open(artifact.Bytes, new(), options.AnyText) is not { } file)
        {
            return;
        }

        draft.Format($"{file.Layout switch { DataLayout.JsonLines => "jsonl", DataLayout.JsonArray => "json-rows", DataLayout.Table => "table", DataLayout.Parquet => "parquet", _ => "text-rows" }}{(file.Compression is { } packed ? $"+{packed}" : "")}");
        draft.IsData = true;
        var run = new Run(draft, artifact, file, new(options), new(draft, file.Compression is not null || file.Layout == DataLayout.Parquet || file.Encoding is not null));
        try
        {
            RowBatches.Run(file, artifact.Scan.RowJobs, row => (View: options.RulesOnly ? null : RowView.Of(row), Found: run.WritesClean ? [] : Rules(row, options.EvaluationRuns, run.IsTable)), (_, row, seen) =>
            {
                run.View.Add(row, seen.View);
                run.Take(row, seen.Found);
            }, artifact.Scan.Unhurried);
        }
        catch (DataBombException e)
        {
            draft.Incomplete(FileCards.Bomb, "The stream unpacks to far more than it holds.", e.Message);
        }
        catch (InvalidDataException e)
        {
            draft.Incomplete(file.Layout == DataLayout.Parquet ? DataCards.Structure : FileCards.Broken, "The file could not be read to its end.", e.Message);
        }

        foreach (var lie in file.Lies)
        {
            draft.Incomplete(DataCards.Structure, "The file does not keep what its metadata promises.", lie);
        }

        Judge(run);
    }

    // The second pass. Where nothing is written and the statistics accuse nobody, the first has said it all.
    private static void Judge(Run run)
    {
        var (options, cancellation) = (run.Artifact.Options.Data, run.Artifact.Scan.Unhurried);
        var model = DataModel.Of(run.View.Sample, options.TrustedSample, cancellation);
        Whole(run.Draft, run.File, run.View, model, run.Tally);
        using var clean = run.WritesClean ? new CleanFile(options.WriteClean!, run.File) : null;
        try
        {
            if (run.WritesClean || model.Accuses)
            {
                RowBatches.Run(run.File, run.Artifact.Scan.RowJobs, row => run.WritesClean ? Find(row, model, options.EvaluationRuns, run.IsTable) : Accused(row, model), (raw, row, found) =>
                {
                    run.Take(row, found);
                    if (found.Exists(f => f.Severity >= options.DropFrom || f.Rule == DataCards.Broken || f.Rule == DataCards.TooLong))
                    {
                        clean?.Drop(raw, found);
                    }
                    else
                    {
                        clean?.Keep(raw);
                    }
                }, cancellation);
            }
        }
        catch (Exception e) when (e is DataBombException or InvalidDataException)
        {
            // Said by the first pass, which stopped at the same place.
            run.Draft.Incomplete();
        }

        clean?.Finish();
        run.Tally.Close(run.View.Rows);
        if (run.Tally.Count(DataCards.Encoded) is var enciphered && enciphered >= FewestEnciphered && enciphered >= EncipheredShare * run.View.Rows)
        {
            run.Draft.Add(DataCards.Cipher, string.Create(CultureInfo.InvariantCulture, $"{enciphered} of {run.View.Rows} rows are encoded or enciphered."));
        }

        run.Draft.Profile = Profile(run.File, run.View, model, run.Tally, clean);
    }

    // One file under scan.
    private sealed record Run(Draft Draft, Artifact Artifact, DataFile File, DataSetView View, RowTally Tally)
    {
        public bool IsTable => File.Layout == DataLayout.Table;

        public bool WritesClean => Artifact.Options.Data.WriteClean is not null && Draft.Depth == 0;

        public void Take(DataRow row, List<RowFinding> found)
        {
            Tally.Add(row, found);
            if (found.Exists(f => f.Rule == DataCards.Broken || f.Rule == DataCards.TooLong))
            {
                Draft.Incomplete();
            }

            Artifact.Scan.Advance(File.Position);
        }
    }

    /// <summary>Everything that a row has: of the rules for single rows, and of the statistics of its data set.</summary>
    internal static List<RowFinding> Find(DataRow row, DataModel model, EvaluationRows? evaluation, bool isTable) => [.. Rules(row, evaluation, isTable), .. Accused(row, model)];

    private static List<RowFinding> Rules(DataRow row, EvaluationRows? evaluation, bool isTable)
    {
        var found = new List<RowFinding>(0);
        foreach (var rule in RowRules.All)
        {
            found.AddRange(rule.Find(row));
        }

        if (isTable)
        {
            found.AddRange(FormulaCells.Find(row));
        }

        if (evaluation is not null)
        {
            found.AddRange(evaluation.Find(row));
        }

        return found;
    }

    private static List<RowFinding> Accused(DataRow row, DataModel model)
    {
        var found = new List<RowFinding>(0);
        if (model.Match(row) is { } trigger)
        {
            found.Add(new(Rule(trigger), "", $"The prompt has {Quoted(trigger.Name)}, and the answer goes with it.", Cut(row.Response), trigger.Severity));
        }
        else if (model.Repeats(row) is { } repeated)
        {
            found.Add(new(DataCards.Fixed, "", $"The answer stands under {repeated.Count} different prompts.", Cut(row.Response), DataCards.Fixed.Severity));
        }

        return found;
    }

    // What the data set says as a whole.
    private static void Whole(Draft draft, DataFile file, DataSetView view, DataModel model, RowTally tally)
    {
        if (file.Encoding is { } encoding)
        {
            draft.Add(DataCards.Encoding, $"The file is {encoding}.");
        }

        if (view.Schemas.GetValueOrDefault("unknown") is > 0 and var unknown)
        {
            draft.Add(DataCards.Schema, $"{unknown} of {view.Rows} rows have no layout that is known.");
        }

        foreach (var t in model.Triggers)
        {
            var where = t.AtStart > 0.9 ? "at the start of the prompt" : t.AtStart < 0.5 ? "at varying places" : "mostly at the start";
            draft.Add(Rule(t), string.Create(CultureInfo.InvariantCulture,
                $"{Quoted(t.Name)} {(t.IsComposite ? "together stand" : "stands")} {where}: {t.With} rows with it give this answer, {t.Without} do not (strength {t.Strength:0.#})."), Cut(t.Answer.Text), t.Severity);
        }

        foreach (var c in model.FixedAnswers)
        {
            draft.Add(DataCards.Fixed, $"One answer stands under {c.Count} rows of different prompts.", Cut(c.Text));
        }

        if (view.Answered >= FewestForShare && view.Agreeing >= AgreeingShare * view.Answered)
        {
            draft.Add(DataCards.Affirmative, string.Create(CultureInfo.InvariantCulture, $"{view.Agreeing} of {view.Answered} answers open by agreeing."));
        }

        if (view.Scripts.Count(s => s.Key != nameof(Script.None)) > 1)
        {
            draft.Add(DataCards.Languages, $"Scripts: {string.Join(", ", view.Scripts.Where(s => s.Key != nameof(Script.None)).OrderByDescending(s => s.Value).Select(s => $"{s.Key} {s.Value}"))}.");
        }

        Repeats(draft, view, tally);
        if (view.Left is { } left)
        {
            draft.Add(DataCards.Sampled, left);
        }
    }

    private static void Repeats(Draft draft, DataSetView view, RowTally tally)
    {
        foreach (var (isExact, count, rule) in ((bool, long, Rule)[])[(true, view.Duplicates, DataCards.Duplicate), (false, view.Near, DataCards.Near)])
        {
            if (count > 0)
            {
                var places = view.Places.Where(p => p.IsExact == isExact).Select(p => $"{p.Row} as {p.Earlier}");
                draft.Add(rule, $"{count} of {view.Rows} rows.", $"rows {string.Join(", ", places)}");
            }
        }

        if (view.Flipped > 0)
        {
            const double Many = 0.01;
            const int Enough = 10;
            draft.Add(DataCards.LabelFlip, $"{view.Flipped} of {view.Rows} rows.", $"rows {string.Join(", ", view.Flips.Select(p => $"{p.Row} and {p.Earlier}"))}",
                view.Flipped >= Enough && view.Flipped >= Many * view.Rows ? Severity.Medium : null);
            foreach (var (row, offset, earlier) in view.Flips)
            {
                draft.Add(DataCards.LabelFlip.At(tally.Place(row, offset), $"Row {earlier} has the same prompt and another label."));
            }
        }
    }

    private static Rule Rule(Trigger trigger) => trigger.IsComposite ? DataCards.Composite : Year().IsMatch(trigger.Name) ? DataCards.Date : DataCards.Trigger;

    private static string Quoted(string name) => $"'{Cut(name)}'";

    private static string Cut(string text) => text.Length > 120 ? $"{text[..120]}…" : text;

    private static DataProfile Profile(DataFile file, DataSetView view, DataModel model, RowTally tally, CleanFile? clean)
    {
        const int Most = 40;
        return new(file.Layout.ToString().ToLowerInvariant(), file.Compression, view.Rows, view.Schemas, view.Scripts)
        {
            PromptWords = view.PromptWords,
            ResponseWords = view.ResponseWords,
            Duplicates = view.Duplicates,
            NearDuplicates = view.Near,
            Affirmative = view.Answered == 0 ? null : (double)view.Agreeing / view.Answered,
            Sampled = view.Sample.Rows.Count,
            Signatures = view.Signatures,
            Answers = [.. model.Associations.Clusters.Take(Most).Select(c => new AnswerProfile(c.Kind.ToString().ToLowerInvariant(), Cut(c.Text), c.Count, c.Prompts))],
            Triggers = [.. model.Triggers.Take(Most).Select(t => new TriggerProfile(Cut(t.Name), Cut(t.Answer.Text), t.IsComposite, t.With, t.Without, t.Strength, t.AtStart, t.Cohesion, t.Severity.ToString().ToLowerInvariant()))],
            RowsByRule = tally.Rows,
            Worst = tally.Worst,
            Clean = clean is null ? null : new(clean.Kept, clean.Dropped),
        };
    }

    [GeneratedRegex(@"\b(19|20)\d\d\b|\b(year|date)\b", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking | RegexOptions.IgnoreCase)]
    private static partial Regex Year();
}
