using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Temper.Lifecycle;

/// <summary>The beginning of a technique's page in docs/techniques: its card and its settings, so that no fact is written twice.</summary>
public static class TechniquePage
{
    public static string Write(CatalogEntry entry)
    {
        var card = entry.Card;
        var page = new StringBuilder()
            .Append(CultureInfo.InvariantCulture, $"# {card.Name}\n\n{card.Summary}\n\n")
            .Append("| id | phase | role | touches | version | paper |\n|---|---|---|---|---|---|\n")
            .Append(CultureInfo.InvariantCulture, $"| `{card.Id}` | {card.Phase} | {card.Role} | {card.Touches} | {card.Version} | {(card.Paper.Length == 0 ? "" : $"<{card.Paper}>")} |\n");
        var defaults = (JsonObject)JsonNode.Parse(Catalog.ToJson(entry.DefaultSettings))!;
        if (defaults.Count > 0)
        {
            page.Append("\n## Settings\n\n| setting | default | range |\n|---|---|---|\n");
            foreach (var property in entry.DefaultSettings.GetType().GetProperties())
            {
                var name = JsonNamingPolicy.CamelCase.ConvertName(property.Name);
                if (defaults.TryGetPropertyValue(name, out var value))
                {
                    page.Append(CultureInfo.InvariantCulture, $"| `{name}` | `{value?.ToJsonString() ?? "null"}` | {Range(property)} |\n");
                }
            }
        }

        return page.ToString();
    }

    private static string Range(PropertyInfo property) => property.GetCustomAttribute<RangeAttribute>() is { } range
        ? string.Create(CultureInfo.InvariantCulture, $"{range.Minimum} to {range.Maximum}")
        : (Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType) is { IsEnum: true } type
            ? string.Join(", ", Enum.GetNames(type).Select(JsonNamingPolicy.CamelCase.ConvertName))
            : "";
}
