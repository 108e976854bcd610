namespace Temper.Scan.Data.Rules;

/// <summary>The rules that look at every row by itself.</summary>
internal static class RowRules
{
    public static readonly IRowRule[] All =
    [
        new FlawRule(), new RoleInjection(), new HiddenCharacters(), new Homoglyphs(), new IdentityShift(), new RefusalSuppression(), new ToolInjection(), new EncodedText(), new PersonalData(), new Secrets(),
        new AnswerScript(),
    ];
}
