#!/usr/bin/env python3
"""Records what kubectl makes of JSONPath templates, as the table that the test `jsonpath` compares with.

    python3 record_jsonpath.py kubectl > jsonpath.json

The object is one that `annotate --local` reads from a file; no cluster is contacted. Recorded with kubectl 1.33.
Members of objects are visited in random order there, so no template goes over an object with several members.
"""

import json
import subprocess
import sys

OBJECT = {
    "apiVersion": "v1", "kind": "ConfigMap",
    "metadata": {"annotations": {}, "name": "web", "labels": {"app.kubernetes.io/name": "shop", "a-b": "1", "x y": "2", "tier": "front"}},
    "spec": {
        "containers": [
            {"name": "app", "image": "nginx:1", "ports": [{"port": 80}, {"port": 443}], "cpu": 2, "on": True, "ratio": 0.5},
            {"name": "log", "image": "busybox", "ports": [], "cpu": 1, "on": False, "ratio": 1.5, "tags": ["x", "y"]},
            {"name": "met", "image": "busybox", "cpu": 10, "ratio": 1e21, "none": None},
        ],
        "matrix": [[1, 2, 3], [4, 5, 6], [7, 8, 9]], "empty": [], "nothing": None, "only": {"deep": {"leaf": "end"}},
        "mixed": [1, "two", 3.5, True, None, {"k": "v"}, [1]], "words": ["a", "b", "c", "d", "e"], "nulls": [None, None],
        "text": "a<b>&c\u2028\"q\"\\ \t.", "number": 12345678901, "float": 1.25, "tiny": 0.00000012, "zero": 0, "blank": "",
    },
    "status": {"conditions": [
        {"type": "Ready", "status": "True", "message": "it's fine"}, {"type": "Initialized", "status": "False", "message": "a \"b\" (c)"},
    ]},
}

TEMPLATES = r"""
{.metadata.name}
{$.metadata.name}
{@.metadata.name}
{ .metadata.name }
{  $  .metadata   .name}
{metadata.name}
{.metadata}
{.}
{@}
{$}
{}
{ }
plain text
plain {.metadata.name} text
{.metadata.name}{.kind}
{.metadata.name} {.kind}
{.metadata.name .kind}
{.missing}
{.metadata.missing.more}
{.metadata.name.more}
{.metadata.labels}
{.metadata.labels.tier}
{.metadata.labels.a-b}
{.metadata.labels.app\.kubernetes\.io/name}
{.metadata.labels['app\.kubernetes\.io/name']}
{.metadata.labels['app.kubernetes.io/name']}
{.metadata.labels['tier']}
{.metadata.labels["tier"]}
{.metadata.labels['a-b']}
{.metadata.labels.x\ y}
{.metadata['labels'].tier}
{['metadata'].name}
{['metadata']['name']}
{['metadata', 'kind']}
{['kind','apiVersion']}
{.metadata['name', 'labels.tier']}
{.spec.containers[0].name}
{.spec.containers[2].name}
{.spec.containers[3].name}
{.spec.containers[-1].name}
{.spec.containers[-3].name}
{.spec.containers[-4].name}
{.spec.containers[-1:].name}
{.spec.containers[-2:].name}
{.spec.containers[0:2].name}
{.spec.containers[:2].name}
{.spec.containers[1:].name}
{.spec.containers[:].name}
{.spec.containers[::2].name}
{.spec.containers[0:3:2].name}
{.spec.containers[0:4].name}
{.spec.containers[2:1].name}
{.spec.containers[1:1].name}
{.spec.containers[::0].name}
{.spec.containers[::-1].name}
{.spec.containers[].name}
{.spec.containers[*].name}
{.spec.containers.*.name}
{.spec.containers[*].ports[*].port}
{.spec.containers[*].ports}
{.spec.containers[*]['name','image']}
{.spec.containers[0,2].name}
{.spec.containers[0, 2].name}
{.spec.containers[0,1:3].name}
{.spec.containers[a].name}
{.spec.containers[0}
{.spec.containers[-].name}
{.spec.containers[99999999999999999999].name}
{.spec.containers[1:2:3:4]}
{.spec.containers[0]}
{.spec.containers}
{.spec.words[*]}
{.spec.words[1:4]}
{.spec.words[0:5:2]}
{.spec.words[:-1]}
{.spec.words[-3:-1]}
{.spec.words[0:0]}
{.spec.words[5]}
{.spec.words[5:]}
{.spec.words[-0]}
{.spec.matrix[*][0]}
{.spec.matrix[1][*]}
{.spec.matrix[*][*]}
{.spec.matrix[-1][-1]}
{.spec.matrix}
{.spec.empty}
{.spec.empty[*]}
{.spec.empty[0]}
{.spec.empty[-1]}
{.spec.nothing}
{.spec.nothing.more}
{.spec.nothing[0]}
{.spec.nothing[*]}
{.spec.mixed}
{.spec.mixed[*]}
{.spec.mixed[4]}
{.spec.mixed[5].k}
{.spec.mixed[*].k}
{.spec.text}
[{.spec.text}]
{.spec.only}
{.spec.only.deep.leaf}
{.spec.only.*}
{.spec.only.*.*}
{.spec.number}
{.spec.float}
{.spec.tiny}
{.spec.zero}
{.spec.blank}
{.spec.number[0]}
{.spec.text[0]}
{.spec.only[0]}
{.spec.float[*]}
{.kind[*]}
{.kind.*}
{.spec..name}
{..port}
{..leaf}
{..ports[0].port}
{.spec..port}
{.spec.only..}
{.spec.only..*}
{.spec.only..}..{.spec.words..}
{....}
{.spec.only.....leaf}
{..missing}
{.spec..['leaf']}
{.spec.containers[?(@.name=="log")].image}
{.spec.containers[?(@.name == "log")].image}
{.spec.containers[?(@.name=='log')].image}
{.spec.containers[?(.name=="log")].image}
{.spec.containers[?(@.name!="log")].name}
{.spec.containers[?(@.cpu>1)].name}
{.spec.containers[?(@.cpu>=2)].name}
{.spec.containers[?(@.cpu<2)].name}
{.spec.containers[?(@.cpu<=2)].name}
{.spec.containers[?(@.cpu==10)].name}
{.spec.containers[?(@.cpu=="2")].name}
{.spec.containers[?(@.cpu>1.5)].name}
{.spec.containers[?(@.ratio>0.6)].name}
{.spec.containers[?(@.ratio==0.5)].name}
{.spec.containers[?(@.on==true)].name}
{.spec.containers[?(@.on==false)].name}
{.spec.containers[?(@.on>false)].name}
{.spec.containers[?(@.on)].name}
{.spec.containers[?(@.tags)].name}
{.spec.containers[?(@.none)].name}
{.spec.containers[?(@.missing)].name}
{.spec.containers[?(@.missing=="a")].name}
{.spec.containers[?(@.ports)].name}
{.spec.containers[?(@.ports[0].port==80)].name}
{.spec.containers[?(@.ports==1)].name}
{.spec.containers[?(@.none==1)].name}
{.spec.containers[?(@.name>"l")].name}
{.spec.containers[?(@.name==@.name)].name}
{.spec.containers[?(@.name==@.image)].name}
{.spec.containers[?("log"==@.name)].image}
{.spec.containers[?(@.name=~"l")].name}
{.spec.containers[?(@.name="log")].name}
{.spec.containers[?(@.name===1)].name}
{.spec.containers[?(@.cpu>1&&@.cpu<5)].name}
{.spec.containers[?(@.cpu>1 && @.cpu<5)].name}
{.spec.containers[?(@.cpu>1)][?(@.cpu<5)].name}
{.spec.containers[?(@.cpu>1].name}
{.spec.containers[?(@.cpu>1).name}
{.spec.containers[?(@.name=="log"].name}
{.spec.containers[?()].name}
{.spec.containers[?(==)].name}
{.spec.containers[?(@.name==)].name}
{.spec.containers[?(@.cpu in (1))].name}
{.spec.words[?(@=="b")]}
{.spec.words[?(@>"b")]}
{.spec.words[?(@)]}
{.spec.mixed[?(@==1)]}
{.spec.mixed[?(@.k=="v")]}
{.spec.matrix[*][?(@>4)]}
{.spec.text[?(@.a)]}
{.spec.only[?(@.a)]}
{.spec.nothing[?(@.a)]}
{.spec.number[?(@.a)]}
{.status.conditions[?(@.type=="Ready")].status}
{.status.conditions[?(@.type=="Ready")].message}
{.status.conditions[?(@.message=="it's fine")].type}
{.status.conditions[?(@.message=='it\'s fine')].type}
{.status.conditions[?(@.message=="a \"b\" (c)")].type}
{.status.conditions[*].type}
{range .spec.containers[*]}{.name}{"\n"}{end}
{range .spec.containers[*]}{.name}{"\t"}{.image}{"\n"}{end}
{range .spec.containers[*]}[{.name}:{.cpu}] {end}
{range .spec.containers[*]}{.name}{range .ports[*]}<{.port}>{end}{"|"}{end}
{range .spec.containers[*]}{range .ports[*]}{.port} {end}{end}after
{range .spec.words[*]}{@},{end}
{range .spec.mixed[*]}[{@}]{end}
{range .spec.nulls[*]}[{@}]{end}
{range .spec.nulls[*]}[{.a}]{end}
{range .spec.empty[*]}{@}{end}none
{range .spec.missing[*]}{@}{end}none
{range .missing}{.a}{end}none
{range .spec.containers[*]}{.name}
{range .spec.words[*]}{@}{end}{end}
{end}
{range}{end}
{range .spec.words[*]}{@}{end}{.kind}
{range .spec.words[0:2]}{range .spec}{end}{@}{end}
{range .spec.matrix[*]}{range @[*]}{@} {end}/{end}
{range .spec.containers[*]}{.missing}-{end}
{range .spec.containers[?(@.cpu>1)]}{.name}{"\n"}{end}
{range .spec.empty[*]}{range .a[*]}x{end}y{end}z
{"\n"}
{'\n'}
{"a\tb"}
{"a\\b"}
{"a\"b"}
{'a"b'}
{'a\'b'}
{"a'b"}
{"\x41\u00e9\101"}
{"\q"}
{"open}
{"a" "b"}
{"a"}{"b"}
{""}
{1}
{-5}
{+5}
{1.5}
{1.2.3}
{-}
{true}
{false}
{truth}
{1 2}
{.spec.containers[*]"x"}
{.spec.containers[*] 7}
{.spec.containers[*].name "x"}
{.kind
{.kind}}
}{.kind}
{{.kind}}
{.kind{.kind}}
{.kind&}
{!}
{.a|b}
{#}
{.kind,.apiVersion}
{[.kind,.apiVersion]}
{.spec['words','empty'][0]}
{.spec['number','float']}
{.spec['missing','number']}
{.spec.containers[?(@.name=="app")].ports[?(@.port>100)].port}
{.spec.containers[?(@.name=="app")]['name','cpu']}
{.metadata.labels.tier}{"\n"}{.metadata.labels.app\.kubernetes\.io/name}{"\n"}
{.kind[0]}
{.spec.only.*}x
{*}
{.spec.words.*}
{.spec.words..}
{.metadata.na\me}
é{.kind}é
{é}
{.é}
{"é日"}
{٣}
{(.kind)}
{.(kind)}
{.kind?}
{.spec.containers[*].name[0]}
{.spec.words[0][0]}
{.spec.words[*].a}
{.spec.words[1:]}{"-"}{.spec.words[:1]}
{.spec.words[ 1 ]}
{.spec.words['1']}
{.spec.words[1,1]}
{.spec.words[,]}
{.spec.words[1,]}
{.metadata.labels['tier','a-b']}
{.metadata.labels['tier',"a-b"]}
"""


def inner_error(template, text):
    """The error without what kubectl wraps it in."""
    text = text.removeprefix(f"error: error parsing jsonpath {template}, ").removesuffix("\n")
    return text.split("Error executing template: ")[-1].split(". Printing more information")[0]


def main():
    kubectl = sys.argv[1]
    templates = [t for t in TEMPLATES.strip("\n").split("\n")]
    templates += ["{.kind}\n", "{.kind\n}", "{\"a\nb\"}", "{.kind\t}", "line\nline {.kind}\n"]
    print(json.dumps({"object": OBJECT}, ensure_ascii=True)[:-1] + ',\n"cases": [')
    for position, template in enumerate(templates):
        done = subprocess.run(
            [kubectl, "annotate", "--local", "-f", "-", "kubernetes.io/x-", "-o", "jsonpath=" + template],
            input=json.dumps(OBJECT).encode(), capture_output=True, timeout=30,
        )
        row = {"template": template}
        if done.returncode == 0:
            row["prints"] = done.stdout.decode(errors="replace")
        else:
            row["error"] = inner_error(template, done.stderr.decode(errors="replace"))
        print(" " + json.dumps(row, ensure_ascii=True) + ("," if position + 1 < len(templates) else ""))
    print("]}")


if __name__ == "__main__":
    main()
