use serde_json::json;

use super::*;

/// What comes of waiting for this: whether it is met, or what is wrong.
fn check(argument: &str, object: &Value) -> Result<bool, String> {
    let condition = Condition::parse(argument).map_err(|error| error.to_string())?;
    condition.is_met(object).map_err(|error| error.to_string())
}

fn pod() -> Value {
    json!({
        "metadata": {"generation": 2},
        "status": {
            "phase": "Running", "replicas": 3, "none": null, "empty": "",
            "conditions": [
                {"type": "Initialized", "status": "True", "observedGeneration": 1},
                {"type": "Ready", "status": "False", "observedGeneration": 2},
                {"type": "Broken"},
            ],
            "list": [{"n": "a=b"}, {"n": "c"}],
        },
    })
}

#[test]
fn conditions_are_checked_as_by_kubectl() {
    for (argument, expected) in [
        ("create", true),
        ("Delete", false),
        ("condition=Ready", false),
        ("condition=ready=FALSE", true),
        ("condition=Ready=", false),
        // Its status is older than the spec.
        ("condition=Initialized", false),
        ("condition=Broken", false),
        ("condition=Missing", false),
        ("jsonpath={.status.phase}=Running", true),
        ("jsonpath=.status.phase=Running", true),
        ("jsonpath=status.phase='Running'", true),
        ("jsonpath={.status.phase}=\" Running\"", true),
        ("jsonpath={.status.phase}=running", false),
        ("jsonpath={.status.replicas}=3", true),
        ("jsonpath={.status.none}=<nil>", true),
        ("jsonpath={.status.none}", true),
        ("jsonpath={.status.empty}", true),
        ("jsonpath={.status.list}", true),
        ("jsonpath={.status.missing}", false),
        ("jsonpath={.status.missing}=x", false),
        (
            "jsonpath={.status.conditions[?(@.type==\"Ready\")].status}=False",
            true,
        ),
        ("jsonpath={.status.list[?(@.n==\"c\")].n}=c", true),
        ("jsonpath=", false),
    ] {
        let expected = match argument {
            "jsonpath=" => Err("jsonpath expression cannot be empty".to_owned()),
            _ => Ok(expected),
        };
        assert_eq!(check(argument, &pod()), expected, "{argument}");
    }
}

#[test]
fn errors_read_as_in_kubectl() {
    for (argument, message) in [
        ("", "unrecognized condition: \"\""),
        ("ready", "unrecognized condition: \"ready\""),
        ("condition", "unrecognized condition: \"condition\""),
        (
            "Condition=Ready",
            "unrecognized condition: \"Condition=Ready\"",
        ),
        (
            "jsonpath={.a}=",
            "jsonpath wait has to have a value after equal sign, like --for=jsonpath='{.status.readyReplicas}'=3",
        ),
        (
            "jsonpath={.a}='",
            "jsonpath wait has to have a value after equal sign, like --for=jsonpath='{.status.readyReplicas}'=3",
        ),
        (
            "jsonpath={.a}=b=c",
            "jsonpath wait format must be --for=jsonpath='{.status.readyReplicas}'=3 or --for=jsonpath='{.status.readyReplicas}'",
        ),
        (
            "jsonpath={.a",
            "unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' or '{.name1.name2}'",
        ),
        ("jsonpath={.a[}", "unterminated array"),
        (
            "jsonpath={.status.list}=x",
            "jsonpath leads to a nested object or list which is not supported",
        ),
        (
            "jsonpath={.status.list[*].n}=x",
            "given jsonpath expression matches more than one value",
        ),
        (
            "jsonpath={.status.list[9]}",
            "array index out of bounds: index 9, length 2",
        ),
    ] {
        assert_eq!(
            check(argument, &pod()),
            Err(message.to_owned()),
            "{argument}"
        );
    }
}
