#!/usr/bin/env python3
"""Records how kubectl prints objects with `-o`, as the table that the test `output` compares with.

    python3 record_output.py kubectl > output.json

Recorded with kubectl 1.33.
"""

import sys

import fake_api

# Values of ConfigMaps that are shown as YAML and JSON.
TEXTS = r"""
yes|no|on|off|y|n|Y|N|true|false|True|TRUE|tRue|null|Null|NULL|~|nil|None|0|1|-1|+1|007|0644|08|0o7|0x1F|0xG|0b11|1_000|1.5|.5|1.|1e3|1e|e3
1e400|.inf|-.Inf|.nan|nan|inf|12:30|12:30:45|1:2:3.5|190:20:30|1:60|1:a|2001-12-14|2001-1-2|2001-13-45|2001-12-14T21:59:43Z|2001-12-14 21:59:43
2001-12-14 21:59:43.10 -5|2001-12-14t21:59:43.10-05:00|20011214|2001-12|2024-01-01T00:00:00.123456Z|=|<|>|>>|<<x|!|!x|!!str|%|%x|@|@x|`|`x|&|&x|*|*x
-|--|---|--- a|---a|...|... a|....|- a|-a|?|? a|?a|:|: a|:a|a:|a: b|a:b|a :b|a#b|a #b|#|#a|,|,a|a,b|[|[a|]|]a|a]b|{|{a|}|}a|a{b}|'|'a|a'b|a'|"|"a
a"b|\|a\b|/|a b|é|日本語|😀|a😀b|a=b|a|key=value|--flag=x|*.*|$(VAR)|${x}|%d|100%|1Gi|500m|nginx:1.25|http://x:80/y?a=b#c|user@host|it's|'q'|"q"|say "hi": it's
-1.5|-.5|+.5|+|+a|.|..|.a|1 2|0.1.2|v1|1a|a1|0.0|-0|123456789012345678901234567890|9223372036854775808|18446744073709551616|-9223372036854775809|0777777777777777777777777
2001-12-14T21:59:43|1e+3|1E3|0x|0b2|0o8|1__0|_1|1_|_|__|infinity|.INF|+.inf|!!binary|NaN|Off|oFF|yEs|- - a|-- a|:::|a::b|a: |?:|a?b|a? b|~a|~ |nullx|tab	tab
"""

OTHER_TEXTS = [
    "", " ", "  ", " a", "a ", " a ", "a\n", "a\nb", "a\nb\n", "a\n\n", "\n", "\n\n", "\na", "\n a", " a\nb", "a \nb", "a\n b", "a\n\nb", "a\nb\n\n", "a\t\nb", "\ta\nb",
    "a\r\nb", "a\rb", "\t", "a\tb", "\x00", "a\x07b", "\x1b[31m", "\xa0", "a\xa0b", "\ufeff", "a\ufeffb", "\ufffd", "\ue000",
    "#!/bin/sh\nset -e\necho \"hi: $1\"\n", "{\"a\": [1, 2]}", "key: value\nlist:\n- a\n- b\n", "x" * 100, "word " * 40, ("word " * 40).strip(), "a: " + "word " * 40 + "x",
    "\"" + "word " * 40 + "x", "\t" + "word " * 40 + "x", "x" * 200 + "\n" + "y" * 200, "- a\n- b", "...\n", "---\na", "a\n---\nb", "#a\n#b", "\u200b", "\u202e", "e\u0301", "\x01\x02",
    "\\n", "\\", "a\\\nb", "\U0010ffff", "a\n😀",
]

OBJECTS = [
    {}, {"v": {}}, {"v": []}, {"v": [[]]}, {"v": [{}]}, {"v": [[1, 2], [3]]}, {"v": [{"a": 1, "b": [1, {"c": 2}]}]}, {"v": [[{"a": 1}]]}, {"v": None}, {"v": [None]},
    {"v": True, "w": False}, {"v": [1, -1, 0, 1.5, -0.5, 1e21, 1e20, 1e-7, 0.00001, 1234567.5, 123456.5, 100000.5, 9223372036854775807, 0.1]},
    {"b": 1, "a": 2, "B": 3, "A": 4}, {"a10": 1, "a9": 2, "a1": 3, "a-1": 4, "a.1": 5, "a_1": 6, "a": 7, "1": 8, "10": 9, "2": 10}, {"a01": 1, "a1": 2, "a001": 3, "a10": 4, "a010": 5},
    {"yes": 1, "null": 2, "1.5": 3, "a: b": 4, "": 5, " x": 6, "a\nb": 7, "'": 8, "#": 9, "é": 10, "-": 11, "a b": 12, "=": 14, "012": 15, "1_0": 16, "😀": 17, "~": 18},
    {"app.kubernetes.io/name": "x", "kubernetes.io/metadata.name": "y", "example.com/a-b_c": "z"}, {"k" * 128: 1, "j" * 129: 2, "l" * 127: {"m" * 140: [1]}}, {"v": "a<b>&c\"\\/\x08\x0c\n\r\t\x1f é😀"},
    {"v": {"a": {"b": {"c": "d"}}, "e": [{"f": {"g": "h"}}]}}, {"v": [{"text": "a\nb\n"}, "c\nd", ["e\nf"]]}, {"v": {"text": " a\nb", "list": [" a\nb"]}}, {"v": [[], {}, "", None, [[]]]},
]

POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "default", "labels": {"app": "a\x1bb"}, "creationTimestamp": "2024-01-01T00:00:00Z"},
       "spec": {"containers": [{"name": "app", "image": "nginx:1", "ports": [{"port": 80}]}, {"name": "log", "image": "busybox"}], "n": 1e21, "none": None, "on": True},
       "status": {"phase": "Running"}}
OTHER = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a-longer-name", "namespace": "default"}, "spec": {"containers": [{"name": "c", "image": "multi\nline\ttab"}]}}

FORMATS = """json|yaml|name|jsonpath={.items[*].metadata.name}|jsonpath={.metadata.name}|jsonpath-as-json={.spec.containers[*].name}|jsonpath-as-json={.metadata}{.kind}|jsonpath-as-json={.missing}
custom-columns=NAME:.metadata.name|custom-columns=NAME:metadata.name,IMAGES:.spec.containers[*].image,LABELS:{.metadata.labels}|custom-columns=A:.missing,PORTS:.spec.containers[*].ports,N:.spec.n,NONE:.spec.none,ON:.spec.on
custom-columns=A:.spec.containers[?(@.name=="log")].image,L:.metadata.labels.app|custom-columns=ALL:.metadata|custom-columns=|custom-columns=A|custom-columns=A:{.b}{.c}|custom-columns=A:.b[|custom-columns=A:,B:.kind|custom-columns
custom-columns=:.kind,x y:.kind|custom-columns=WITH-DASH:.spec..name|foo|jsonpath=|jsonpath|JSON|Wide|jsonpath={.a|custom-columns=A:.spec.containers[5].name"""


def main():
    kubectl = sys.argv[1]
    texts = [text for line in TEXTS.strip("\n").split("\n") for text in line.split("|")] + OTHER_TEXTS
    server = fake_api.Server()
    path = "/api/v1/namespaces/default/pods"
    cases = []
    objects = [{"v": texts[start:start + 40]} for start in range(0, len(texts), 40)]
    # Text in place of a value of a map is treated differently from text in a list in a few cases.
    objects += [{"v": {f"k{position}": text for position, text in enumerate(texts[start:start + 40])}} for start in range(0, len(texts), 40)]
    for extra in objects + OBJECTS:
        value = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": extra}
        for form in ["json", "yaml"]:
            answer = server.run(kubectl, ["get", "pod", "web", "-o", form], {f"{path}/web": value})
            cases.append({"format": form, "objects": [value], **answer})
    pods = {"apiVersion": "v1", "kind": "PodList", "metadata": {"resourceVersion": "7"}, "items": [POD, OTHER]}
    empty = {"apiVersion": "v1", "kind": "PodList", "metadata": {"resourceVersion": "7"}, "items": []}
    for form in [form for line in FORMATS.split("\n") for form in line.split("|")]:
        for arguments, answers, given in [
            (["web"], {f"{path}/web": POD}, [POD]), ([], {path: pods}, [POD, OTHER]), ([], {path: empty}, []), (["--no-headers"], {path: pods}, [POD, OTHER]),
        ]:
            if arguments != ["web"] and any(word in form for word in ["foo", "Wide", "A:.b[", "{.a", "=A:{", "[5]"]) or form.endswith(("columns", "=", "=A", "path")) and arguments:
                continue
            answer = server.run(kubectl, ["get", "pods", "-o", form, *arguments], answers)
            cases.append({"format": form, "arguments": arguments, "objects": given, **answer})
    fake_api.write_cases(cases)


if __name__ == "__main__":
    main()
