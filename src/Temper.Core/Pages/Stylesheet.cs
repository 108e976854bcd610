namespace Temper.Core.Pages;

/// <summary>The look of every page: light and dark, narrow and printed.</summary>
public static class Stylesheet
{
    public const string Css = """
        :root{color-scheme:light dark;--ground:#fff;--panel:#f6f7f9;--ink:#1b1f24;--soft:#57606a;--line:#d5dae0;--accent:#0b5cad;--hot:#f0938a;--cool:#fff;--bad:#a4231b}
        @media (prefers-color-scheme:dark){:root{--ground:#14171b;--panel:#1d2126;--ink:#e8eaed;--soft:#a3abb5;--line:#363c44;--accent:#7db8f5;--hot:#8f2f29;--cool:#14171b;--bad:#ff9a90}}
        *{box-sizing:border-box}
        body{margin:0 auto;max-width:88rem;padding:1.5rem;background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
        h1{font-size:1.7rem;line-height:1.2;margin:0 0 .25rem}
        h2{font-size:1.2rem;margin:2.25rem 0 .5rem;padding-top:.75rem;border-top:1px solid var(--line)}
        h3{font-size:1rem;margin:1.25rem 0 .4rem}
        p{max-width:60rem}
        a{color:var(--accent)}
        .soft,caption,figcaption{color:var(--soft);font-size:.875rem}
        .verdict{margin:1rem 0;padding:.9rem 1.1rem;border-left:.35rem solid var(--accent);background:var(--panel);font-size:1.1rem;max-width:none;overflow-wrap:anywhere}
        nav ul{display:flex;flex-wrap:wrap;gap:.25rem 1rem;padding:0;margin:.5rem 0;list-style:none;font-size:.9rem}
        .scroll{overflow-x:auto}
        table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.9rem}
        caption{text-align:left;padding:.2rem 0 .4rem;caption-side:top}
        th,td{padding:.35rem .6rem;border:1px solid var(--line);text-align:left;vertical-align:top;overflow-wrap:anywhere}
        th{overflow-wrap:normal}
        thead th{background:var(--panel);font-weight:600;vertical-align:bottom}
        thead th small,td small,tbody th small{display:block;font-weight:400;color:var(--soft);font-size:.8rem}
        th[scope=rowgroup]{background:var(--panel);color:var(--soft);font-weight:600;font-size:.8rem}
        tbody th{font-weight:500;overflow-wrap:break-word}
        td.num{text-align:right;white-space:nowrap}
        .map{table-layout:fixed;width:100%;min-width:calc(8.5rem + var(--n)*6.4rem)}
        .map th:first-child{width:8.5rem}
        .map th,.map td{padding:.35rem .4rem}
        .map td{text-align:right}
        .map td.empty small{display:-webkit-box;-webkit-box-orient:vertical;-webkit-line-clamp:3;line-clamp:3;overflow:hidden}
        .map td.heat{background:color-mix(in srgb,var(--hot) calc(var(--v)*100%),var(--cool))}
        .map td.heat small{color:inherit}
        .map td strong{font-size:1.05rem}
        td.empty{color:var(--soft);text-align:left!important;background:repeating-linear-gradient(135deg,transparent 0 6px,var(--panel) 6px 12px)}
        .fail{color:var(--bad);font-weight:600}
        .charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(15rem,1fr));gap:1rem}
        figure{margin:0;padding:.6rem;border:1px solid var(--line);border-radius:.3rem;break-inside:avoid;min-width:0}
        figure ul{margin:.3rem 0 0;padding-left:1.1rem;font-size:.8rem}
        figcaption{overflow-wrap:anywhere}
        figcaption strong{display:block;color:var(--ink)}
        svg{display:block;width:100%;height:auto}
        svg.pareto{max-width:48rem}
        svg text{fill:var(--ink);font-size:12px}
        svg .tick{fill:var(--soft)}
        svg .rule{stroke:var(--line)}
        svg .curve{fill:none;stroke:var(--accent);stroke-width:1.5}
        svg .event{stroke:var(--bad);stroke-dasharray:3 2}
        svg .mark{fill:var(--bad)}
        svg .dot{fill:var(--ground);stroke:var(--ink);stroke-width:1.5}
        svg .front{fill:var(--accent);stroke:var(--accent)}
        svg .lead{stroke:var(--soft)}
        details{margin:.5rem 0}
        summary{cursor:pointer;padding:.2rem 0}
        :focus-visible{outline:3px solid var(--accent);outline-offset:2px}
        pre{margin:.3rem 0;padding:.6rem .8rem;background:var(--panel);border:1px solid var(--line);border-radius:.3rem;white-space:pre-wrap;overflow-wrap:anywhere;font:.85rem/1.45 ui-monospace,Consolas,"DejaVu Sans Mono",monospace}
        @page{size:landscape;margin:12mm}
        @media print{
        :root{color-scheme:light;--ground:#fff;--panel:#f6f7f9;--ink:#000;--soft:#444;--line:#bbb;--accent:#0b5cad;--hot:#f0938a;--cool:#fff;--bad:#a4231b}
        body{max-width:none;padding:0;font-size:10pt}nav{display:none}.scroll{overflow:visible}tr,figure,.verdict{break-inside:avoid}h2,h3{break-after:avoid}thead{display:table-header-group}
        td.heat{print-color-adjust:exact;-webkit-print-color-adjust:exact}details::details-content{content-visibility:visible;display:block}
        html{font-size:60%}table{font-size:7.5pt}.map{min-width:0}#samples{display:none}
        }
        """;
}
