//! Which request gets which protocol, and which words.

use super::*;

const OFFER: Offer<u8> = Offer {
    websocket: &[("v5.channel.k8s.io", 5), ("v4.channel.k8s.io", 4)],
    spdy: &[("v4.channel.k8s.io", 14), ("v3.channel.k8s.io", 13)],
};

fn ask(headers: &str) -> (u16, String, Option<u8>) {
    let mut request = Request::builder().uri("/");
    for line in headers.split("; ").filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once(": ").expect("a header");
        request = request.header(name, value);
    }
    match negotiate(&request.body(()).expect("request"), &OFFER) {
        Ok((response, protocol)) => {
            let headers = response.headers();
            let name = headers
                .get(SEC_WEBSOCKET_PROTOCOL)
                .or_else(|| headers.get(STREAM_PROTOCOL_VERSION));
            let name = name.expect("a protocol").to_str().expect("text");
            (response.status().as_u16(), name.into(), Some(protocol))
        }
        Err(refusal) => {
            let text = String::from_utf8(refusal.body().to_vec()).expect("text");
            (refusal.status().as_u16(), text, None)
        }
    }
}

const WEBSOCKET: &str = "connection: keep-alive, Upgrade; upgrade: WebSocket; sec-websocket-version: 13; \
                         sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==";
const SPDY: &str = "connection: Upgrade; upgrade: SPDY/3.1";

#[test]
fn the_client_s_first_choice_wins() {
    for (protocols, name, protocol) in [
        (
            "v5.channel.k8s.io, v4.channel.k8s.io",
            "v5.channel.k8s.io",
            5,
        ),
        (
            "v4.channel.k8s.io, v5.channel.k8s.io",
            "v4.channel.k8s.io",
            4,
        ),
        (
            "v9.channel.k8s.io,v4.channel.k8s.io",
            "v4.channel.k8s.io",
            4,
        ),
    ] {
        let answer = ask(&format!("{WEBSOCKET}; sec-websocket-protocol: {protocols}"));
        assert_eq!(answer, (101, name.into(), Some(protocol)));
    }
    // kubectl gives SPDY's as headers of their own.
    let answer = ask(&format!(
        "{SPDY}; x-stream-protocol-version: v5.channel.k8s.io; x-stream-protocol-version: v3.channel.k8s.io"
    ));
    assert_eq!(answer, (101, "v3.channel.k8s.io".into(), Some(13)));
}

#[test]
fn what_cannot_be_had_is_refused_with_the_reason() {
    let (code, text, _) = ask("");
    assert_eq!(code, 400);
    assert!(
        text.contains("\"message\":\"Upgrade request required\""),
        "{text}"
    );

    let cases = [
        (
            WEBSOCKET.to_owned(),
            403,
            "requested protocol(s) are not supported: []; supports [v5.channel.k8s.io v4.channel.k8s.io]\n",
        ),
        (WEBSOCKET.replace("13", "8"), 426, "bad WebSocket version\n"),
        (
            WEBSOCKET.replace("websocket-key", "other"),
            400,
            "bad WebSocket key\n",
        ),
        (
            SPDY.to_owned(),
            400,
            "unable to upgrade: header X-Stream-Protocol-Version does not exist in request\n",
        ),
        (
            format!("{SPDY}; x-stream-protocol-version: v9"),
            403,
            "unable to upgrade: unable to negotiate protocol: client supports [v9], server accepts [v4.channel.k8s.io v3.channel.k8s.io]\n",
        ),
        (
            SPDY.replace("SPDY/3.1", "h2c"),
            400,
            "unable to upgrade: missing upgrade headers in request\n",
        ),
    ];
    for (headers, code, text) in cases {
        assert_eq!(ask(&headers), (code, text.into(), None), "{headers}");
    }
}
