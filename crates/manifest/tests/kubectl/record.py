#!/usr/bin/env python3
"""Records how kubectl reads YAML, as the table that the test `yaml_oracle` compares with.

    apt-get download kubernetes-client && dpkg -x kubernetes-client_*.deb kubectl
    python3 record.py kubectl/usr/bin/kubectl > answers.json

Each scalar is put in place of a value of an object, each key in place of a key, each document is read as it stands.
kubectl reads them with `annotate --local`, which contacts no cluster and keeps fields it does not know.
"""

import json
import subprocess
import sys

# Scalars, separated by bars.
SCALARS = r"""
yes|Yes|YES|yEs|on|On|ON|oN|y|Y|no|No|NO|nO|off|Off|OFF|oFF|n|N|true|True|TRUE|tRUE|false|False|FALSE|fALSE|null|Null
NULL|nULL|~|~~|nil|none|None|0|-0|+0|00|000|7|+7|-7|+-7|--7|12|012|-012|+012|0644|00644|0755|08|09|018|-018|0189|019.5
0o644|0O644|-0o644|0o8|0o|0_7|0_8|0x1F|0X1F|0x1f|-0x1F|+0x1F|0x|0xG|0x1_F|0x_1F|0x1.8p1|0b11|0B11|-0b11|+0b11|0b12|0b
0b1_1|0b_11|1_000|_1000|1000_|1__0|1_0.5_0|1_000e3|-1_000|1.|.5|-.5|+.5|.|..|...x|.5.|1.5|-1.5|+1.5|1.50|1.0|-1.0
1.0.0|1,000|1 000|0.1|00.5|01.5|-0.0|+0.0|1.5e3|1.5E3|1.5e+3|1.5e-3|1e3|1E3|1e+3|1e-3|1e0|-1e3|1e|1e+|e3|1e3.5|1e20
1e21|1e22|1e-7|1e-6|1e400|-1e400|1e-400|1.e3|.e3|.5e1|9223372036854775807|9223372036854775808|-9223372036854775808
-9223372036854775809|18446744073709551615|18446744073709551616|123456789012345678901234567890
-123456789012345678901234567890|0xFFFFFFFFFFFFFFFF|0x1FFFFFFFFFFFFFFFF|0777777777777777777777|0xFFFF_FFFF|1234567890.5
0.1234567890123456789|123456789.123456789|5e-324|1.7976931348623157e308|.nan|.NaN|.NAN|.Nan|nan|NaN|.inf|.Inf|.INF
-.inf|+.inf|-.Inf|+.INF|inf|-inf|Infinity|.infx|12:30|12:30:45|1:2:3|190:20:30|12:30:45.5|-12:30:45|2001-12-14
2001-12-14T21:59:43Z|2001-12-14t21:59:43.10-05:00|2001-12-14 21:59:43.10 -5|2001-1-1|20011214|2001-13-45|=|<|<<x|a<<
-x|- -|-a|--|:x|x:|a:b|a::b|http://x:80/y|a#b|a\b|a"b|a'b|{}|[]|[1, 0644, yes]|{y: n}|{a: 0x10, 0644: b}|[a, , b]|[a,]
{a}|{a, b: c}|{a:1}|{"a":1}|['a':1]|?x|%x|@x|`x|!x|&x y|*x|,x|]x|}x|>x|'yes'|"yes"|'0644'|"0644"|'null'|"~"|""|''
'it''s'|"a\tb"|"a\nb"|"\x41"|"\u00e9"|"\U0001F600"|"\/"|"\0"|"\e"|"\_"|"\N"|"\L"|"\P"|"\q"|"\ "|a b c|é|日本語|😀|a\n|"a
'a|!!str 123|!!str yes|!!str|!!str null|!!int "12"|!!int 12|!!int 0644|!!int abc|!!int 1.5|!!float 1|!!float "1.5"
!!float abc|!!bool yes|!!bool "yes"|!!bool 1|!!null ~|!!null x|!!null ""|!!binary aGk=|!!binary "!!"
!!timestamp 2001-12-14|!!set {a, b}|!!map {a: b}|!!seq [a]|!local x|!local 12|!local "12"|!<tag:yaml.org,2002:str> 12
! 12|! x|!!unknown 12
"""

# Scalars that span lines, that contain a bar, or that are nothing.
OTHER_SCALARS = [
    "\"a\\\n  b\"",
    "\"a\n  b\"",
    "'a\n  b'",
    "a\n  b",
    "|x",
    "",
]

BLOCKS = [
    "|\n  a\n  b\n", "|-\n  a\n  b\n", "|+\n  a\n\n\n", ">\n  a\n  b\n", ">-\n  a\n\n  b\n", "|2\n    a\n", "|\n\n  a\n",
    "|\n  yes\n", ">-\n  0644\n", "|\n  a\n   b\n  c\n", "|\n  \ta\n", "|\n", "|-\n", "\n  - a\n  - 0644\n", "\n- a\n- b\n",
    "\n  a: yes\n  b: 010\n", "# c\n", " # c\n", "a # c\n", "a#c\n", "\n  # c\n  a\n", "\n  - - a\n    - b\n  - {}\n",
    "&x a\nw: *x\n", "&x {a: 1}\nw: *x\n", "*nope\n", "&x\nw: *x\n", "\n  - &x 1\n  - *x\n", "|\n  a\r\n", "- a\n", "a: b\n",
    "\n  ? a\n  : b\n", "\n  a\n", "\"a\" b\n", "a\n w: b\n", "[a\n, b]\n", "{a: 1,\n b: 2}\n", "{a: 1\n", "[a\n",
    "\n\ta: b\n", "\ta\n", "a\t\n", "\n  a:\tb\n", "\n  - \ta\n", "{\ta: b}\n",
]

KEYS = [
    "a", "y", "n", "yes", "no", "on", "off", "true", "True", "1", "0644", "0x10", "1.5", "1e3", "1.0", "-1", "null", "~", "''",
    "'y'", "\"y\"", "'1'", ".inf", ".nan", "2001-12-14", "12:30", "a b", "a:b", "é", "[a]", "{a: b}", "? a", "!!str 1",
    "!!int \"1\"", "9223372036854775808", "1.23456789", "100000000", "1e21", "-0.0", "=", "018", "1_0",
]

HEAD = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
DOCUMENTS = [
    HEAD + "---\n" + HEAD, "---\n" + HEAD + "...\n", HEAD + "...\n", HEAD + "---\n# only a comment\n---\n" + HEAD, "---\n---\n" + HEAD,
    "# c\n\n" + HEAD, HEAD.replace("\n", "\r\n"), "\ufeff" + HEAD, HEAD + "--- # c\n" + HEAD, "--- {apiVersion: v1, kind: ConfigMap, metadata: {name: a}}\n",
    "%YAML 1.1\n---\n" + HEAD, "%YAML 1.2\n---\n" + HEAD, "%YAML 2.0\n---\n" + HEAD, "%TAG ! x\n---\n" + HEAD, HEAD + "---\n", HEAD + "---",
    '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}',
    '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"b"}}',
    '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}\n{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"b"}}\n',
    '\n  {"apiVersion":"v1",\n\t"kind":"ConfigMap","metadata":{"name":"a"},"v":[1,1e3,1.5,"\\u00e9","\\/",null,true,-0]}\n',
    HEAD + "v: 1\nv: 2\n", HEAD + "v: {a: 1, a: 2}\n",
    HEAD + "b: &b {x: 1, y1: 2}\nv: {<<: *b, x: 3}\n", HEAD + "b: &b {x: 1, y1: 2}\nv: {x: 3, <<: *b}\n",
    HEAD + "b: &b {x: 1}\nc: &c {x: 2, z: 3}\nv: {<<: [*b, *c]}\n", HEAD + "b: &b [1]\nv: {<<: *b}\n", HEAD + "v: {<<: {q: 1}}\n",
    HEAD + "v: {'<<': {q: 1}}\n", HEAD + "v: {<<: 1}\n", HEAD + "v: {<<: }\n", HEAD + "v: {!!merge <<: {q: 1}}\n", HEAD + "v: [<<, a]\n",
    HEAD + "v: <<\n", HEAD + "v: &a [*a]\n", HEAD + "v:\n- a\n- b\nw: c\n", HEAD + "v:\n   a: 1\n  b: 2\n", HEAD + " v: 1\n", "\t" + HEAD,
    HEAD + "v: a\0b\n", HEAD + "v: a\x07b\n", HEAD + "v: \"a\x07b\"\n", HEAD + "v: a\x7fb\n", HEAD + "v: a\x85b\n", HEAD + "v: a\u2028b\n",
    "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: a}}\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: b}}\n",
    HEAD + "v: ? a\n", HEAD + "? v\n: 1\n", HEAD + "? [v]\n: 1\n", HEAD + "v\n", HEAD + "- v\n", HEAD + "v: 'a\n\n  b'\n", HEAD + "v: a: b\n",
    HEAD + "v: @a\n", HEAD + "v: `a`\n", HEAD + "v: %a\n", HEAD + "v: [a]]\n", HEAD + "v: }\n", HEAD + "\"v\":1\n", HEAD + "{v: 1}\n",
]


def read(kubectl, text):
    """The objects that kubectl makes of a text, or an error."""
    done = subprocess.run(
        [kubectl, "annotate", "--local", "-f", "-", "recorded=yes", "-o", "json"],
        input=text.encode("utf-8", "surrogateescape"), capture_output=True, timeout=30,
    )
    if done.returncode != 0:
        return None, done.stderr.decode(errors="replace").strip().split("\n")[-1]
    decoder, rest, objects = json.JSONDecoder(), done.stdout.decode(), []
    while rest.strip():
        found, end = decoder.raw_decode(rest.strip())
        rest = rest.strip()[end:]
        objects.append(found)
    for found in objects:
        found["metadata"].pop("annotations", None)
    return objects, None


def main():
    kubectl = sys.argv[1]
    scalars = [s for line in SCALARS.strip("\n").split("\n") for s in line.split("|")] + OTHER_SCALARS
    cases = [("value", s, HEAD + "v: " + s + "\n") for s in scalars]
    cases += [("block", b, HEAD + "v: " + b) for b in BLOCKS]
    cases += [("key", k, HEAD + "v:\n  " + k + ": x\n") for k in KEYS]
    cases += [("document", d, d) for d in DOCUMENTS]
    print("[")
    for position, (form, name, text) in enumerate(cases):
        objects, error = read(kubectl, text)
        row = {"form": form, "input": name, "text": text}
        row.update({"error": error} if error is not None else {"objects": objects})
        print(" " + json.dumps(row, ensure_ascii=True) + ("," if position + 1 < len(cases) else ""))
    print("]")


if __name__ == "__main__":
    main()
