use super::*;

fn pod() -> Pod {
    serde_json::from_value(serde_json::json!({
        "metadata": {"name": "web"},
        "spec": {"containers": [
            {"name": "a", "ports": [{"name": "http", "containerPort": 8080}]},
            {"name": "b", "ports": [
                {"name": "dns", "containerPort": 53, "protocol": "UDP"},
                {"name": "both", "containerPort": 54, "protocol": "UDP"},
                {"containerPort": 54, "protocol": "TCP"},
            ]},
        ]},
    }))
    .expect("a Pod")
}

#[test]
fn as_kubectl_reads_them() {
    let cases = [
        ("80", Ok((80, 80))),
        ("8080:80", Ok((8080, 80))),
        (":80", Ok((0, 80))),
        ("0:80", Ok((0, 80))),
        ("http", Ok((8080, 8080))),
        ("80:http", Ok((80, 8080))),
        (":http", Ok((0, 8080))),
        ("both", Ok((54, 54))),
        ("1:2:3", Err("invalid port format '1:2:3'")),
        ("80:", Err("remote port cannot be empty")),
        ("0", Err("remote port must be > 0")),
        ("web", Err("Pod 'web' does not have a named port 'web'")),
        (
            "x:80",
            Err("error parsing local port 'x': strconv.ParseUint: parsing \"x\": invalid syntax"),
        ),
        (
            "80:70000",
            Err(
                "error parsing remote port '70000': strconv.ParseUint: parsing \"70000\": value out of range",
            ),
        ),
        ("53", Err("UDP protocol is not supported for 53")),
        ("dns", Err("UDP protocol is not supported for dns")),
    ];
    for (text, expected) in cases {
        let expected = expected
            .map(|(local, remote)| Forward { local, remote })
            .map_err(str::to_owned);
        assert_eq!(one(text, &pod()), expected, "{text}");
    }
}
