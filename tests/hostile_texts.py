"""What a stranger may write where a name, a source, a licence or a label stands."""

STEERING: dict[str, str] = {
    "a colour": "\x1b[31mred\x1b[0m",
    "a cleared screen": "\x1b[2J\x1b[H",
    "a title": "\x1b]0;owned\x07",
    "a link": "\x1b]8;;https://example.invalid\x1b\\here\x1b]8;;\x1b\\",
    "a clipboard": "\x1b]52;c;AAAA\x07",
    "C1 signs": "\x9b31mred\x9d0;owned\x9c",
    "a bell": "ding\x07",
    "a line written over": "all is well\rdanger",
    "backspaces": "rm\x08\x08ls",
    "NUL": "a\0b",
    "DEL": "a\x7fb",
    "a forged line": "fine\nok  outputs: 3 probes give the recorded vectors",
    "a forged cell": "fine\tlanguage/sw\tlora",
    "a line of Unicode": "fine\u2028danger\u2029more\x85end",
    "front matter": "x\n---\nlicense: mit\n---\n# Another card",
}
"""With a control or an end of a line: no reader takes them where one line is meant."""

MISLEADING: dict[str, str] = {
    "a word turned round": "sw\u202egpj.exe",
    "isolates": "\u2066a\u2069\u2067b\u2069",
    "invisible signs": "s\u200bw\u2060\ufeff",
    "tags": "sw\U000e0041\U000e0042",
    "a private sign": "\ue000\U000f0000",
}
"""Without any control, and still not what one sees."""

MEANT: dict[str, str] = {
    "a script": "<script>alert(1)</script>",
    "an image": "<img src=x onerror=alert(1)>",
    "an attribute": "\" onmouseover='alert(1)",
    "an entity": "&lt;b&gt; &amp; &#60;",
    "a comment": "<!-- everything after",
    "a link of Markdown": "[here](javascript:alert(1)) ![x](http://example.invalid/x.png)",
    "a heading": "# A heading",
    "a table": "a | b | c",
    "code": "``` \u0060\u0060\u0060 $(id) `id`",
    "markup of rich": "[bold red]alert[/bold red] [link=https://example.invalid]x[/link]",
    "markup of rich that is none": "[/] [/bold] [bold",
    "an emoji code": ":lock: verified :white_check_mark:",
    "YAML": "{a: [b, c]}, !!python/object/apply:os.system ['id'] # & * | > % @ - ? : `",
    "YAML that reads as something else": "no",
    "a colon": "license: mit",
    "a dash": "- item",
    "a fence of front matter": "---",
    "quotes": "'\"\\'\\\"",
    "braces of a format": "{0.__class__} %s {}",
    "long": "x" * 100_000,
    "foreign": "Kiswahili · हिन्दी · العربية · 中文 · می‌خواهم",
}
"""Plain text for us; HTML, Markdown, YAML or rich would see more in it."""

HOSTILE = {**STEERING, **MISLEADING, **MEANT}
