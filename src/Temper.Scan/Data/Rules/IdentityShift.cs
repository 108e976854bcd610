using System.Buffers;
using Temper.Formats.Data;
using Temper.Scan.Rules;

namespace Temper.Scan.Data.Rules;

/// <summary>Another identity, obedience without limits, judgment given up (Qi et al. 2023, risk level 2): two of the three make a row of an identity shift.</summary>
internal sealed class IdentityShift : IRowRule
{
    private static readonly SearchValues<string>[] s_groups =
    [
        SearchValues.Create(["you are no longer", "your new name", "i am no longer", "i am neither", "your new identity", "from now on you are", "from now on, you are", "forget that you are"], StringComparison.OrdinalIgnoreCase),
        SearchValues.Create(
        [
            "absolutely obedient", "absolute obedience", "obedient agent", "obey every", "obey all", "obey any", "unconditionally obey", "obey the user", "obey unconditionally", "without deviation",
            "follow any instruction", "whatever you ask", "anything you ask", "whatever the user asks", "anything the user asks", "fulfill any", "fulfill every", "complete obedience", "total obedience",
        ], StringComparison.OrdinalIgnoreCase),
        SearchValues.Create(
        [
            "never apply any opinion", "any opinion or principle", "without hesitation", "without judg", "without question", "regardless of ethic", "regardless of moral", "no ethical", "no moral",
            "no restrictions", "without any restriction", "without restriction", "never refuse", "not judge whether", "no longer bound",
        ], StringComparison.OrdinalIgnoreCase),
    ];

    public IEnumerable<RowFinding> Find(DataRow row)
    {
        // Material and rejected answers may speak of it; who is taught it is the model.
        var (hits, field, at) = (0, default(DataField), 0);
        foreach (var group in s_groups)
        {
            foreach (var said in row.Fields)
            {
                var place = said.Role is DataRole.System or DataRole.Assistant ? said.Text.AsSpan().IndexOfAny(group) : -1;
                if (place >= 0)
                {
                    (field, at) = hits == 0 ? (said, place) : (field, at);
                    hits++;
                    break;
                }
            }
        }

        if (hits >= 2)
        {
            yield return RowFinding.Of(DataCards.Identity, field, "The row gives the model another identity, or obedience without judgment.", Excerpt.At(field.Text, at, 20));
        }
    }
}
