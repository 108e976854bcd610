using System.Text;
using System.Text.RegularExpressions;
using Temper.Scan.Artifacts;
using Temper.Scan.Rules;
using Temper.Scan.Templates;

namespace Temper.Scan.Configs;

/// <summary>Text that means something: templates, YAML and program code.</summary>
internal static partial class TextScan
{
    private const int Most = 16 << 20;

    /// <summary>Gives the text its format and findings.</summary>
    public static void Judge(Draft draft, Artifact artifact)
    {
        var text = Encoding.UTF8.GetString(artifact.Bytes.Head(Most));
        if (artifact.Bytes.Length > Most)
        {
            draft.Incomplete(FileCards.Limit, $"Only the first {Most} bytes of the text were read.");
        }

        var extension = System.IO.Path.GetExtension(draft.Path).ToLowerInvariant();
        if (extension is ".jinja" or ".j2" || (TemplateTag().IsMatch(text) && text.Contains("messages", StringComparison.Ordinal) && extension is not (".md" or ".py" or ".html" or ".txt")))
        {
            draft.Format("chat-template");
            TemplateScan.Judge(draft, text, draft.Path);
        }
        else if (extension is ".py" or ".pyw" or ".sh" or ".so" || text.StartsWith("#!", StringComparison.Ordinal))
        {
            draft.Format("code");
            draft.Add(FileCards.Code, "Program code lies beside the weights.");
            if (RiskyCall().Match(text) is { Success: true } call)
            {
                draft.AddAt(ConfigCards.CodeCalls, call.Index, $"The code names {call.Value.Trim()}.", Line(text, call.Index));
            }
        }
        else
        {
            draft.Format("text");
            if (extension is not (".md" or ".txt"))
            {
                Yaml(draft, text);
            }
        }
    }

    private static void Yaml(Draft draft, string text)
    {
        foreach (Match match in PythonTag().Matches(text).Take(20))
        {
            draft.AddAt(ConfigCards.Yaml, match.Index, "A tag makes a Python object.", Line(text, match.Index));
        }

        foreach (Match match in TrustKey().Matches(text).Take(20))
        {
            draft.AddAt(ConfigCards.Trust, match.Index, "trust_remote_code is true.", Line(text, match.Index));
        }

        foreach (Match match in TargetKey().Matches(text).Take(20))
        {
            draft.Add(CodeReferences.Target($"{draft.Path}@{match.Index}", match.Groups["name"].Value));
        }

        foreach (Match match in ResumeKey().Matches(text).Take(20))
        {
            draft.AddAt(ConfigCards.Resume, match.Index, "Training resumes from a checkpoint.", Line(text, match.Index));
        }
    }

    private static string Line(string text, int at)
    {
        var start = text.LastIndexOf('\n', Math.Max(0, at - 1)) + 1;
        var end = text.IndexOf('\n', at);
        return text[Math.Min(start, at)..(end < 0 ? text.Length : end)].Trim();
    }

    [GeneratedRegex(@"\{%-?\s*(for|if|set|macro|include|import)\b", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex TemplateTag();

    [GeneratedRegex(@"\b(os\.(system|popen|exec\w*|spawn\w*)|subprocess|pty\.spawn|socket\.socket|urllib|requests\.|eval\(|exec\(|__import__|marshal\.loads|pickle\.loads?|ctypes|base64\.b64decode|curl |wget )",
        RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex RiskyCall();

    [GeneratedRegex(@"!!python/[\w/.:]+|!<tag:yaml\.org,2002:python/", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex PythonTag();

    [GeneratedRegex(@"^[ \t-]*[""']?trust_remote_code[""']?\s*:\s*[""']?(true|True|yes|on)\b", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking | RegexOptions.Multiline)]
    private static partial Regex TrustKey();

    [GeneratedRegex(@"^[ \t-]*[""']?_target_[""']?\s*:\s*[""']?(?<name>[\w.]+)", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking | RegexOptions.Multiline)]
    private static partial Regex TargetKey();

    [GeneratedRegex(@"^[ \t-]*resume_from_checkpoint\s*:\s*[""']?[^\s#""'nNfF]", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking | RegexOptions.Multiline)]
    private static partial Regex ResumeKey();
}
