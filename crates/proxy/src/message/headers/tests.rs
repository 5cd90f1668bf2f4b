use super::*;

fn sample() -> Headers {
    let mut headers = Headers::new();
    for (name, value) in [
        ("HOST", "a"),
        ("x-One", "1"),
        ("X-Two", "2"),
        ("X-ONE", "1b"),
    ] {
        headers.append(name, value.as_bytes()).unwrap();
    }
    headers
}

fn shown(headers: &Headers) -> String {
    let line = |field: Field<'_>| {
        let text = String::from_utf8_lossy;
        format!("{}={}", text(field.name), text(field.value))
    };
    headers.iter().map(line).collect::<Vec<_>>().join(" ")
}

#[test]
fn case_and_order_are_kept_and_lookups_do_not_care() {
    let headers = sample();
    assert_eq!(shown(&headers), "HOST=a x-One=1 X-Two=2 X-ONE=1b");
    assert_eq!(headers.get("X-one"), Some(&b"1"[..]));
    assert_eq!(
        headers.get_all("x-one").collect::<Vec<_>>(),
        [&b"1"[..], b"1b"]
    );
    assert_eq!(headers.known(Known::Host), Some(&b"a"[..]));
}

#[test]
fn a_set_field_stays_in_the_place_of_the_first() {
    let mut headers = sample();
    headers.set("X-One", b"new").unwrap();
    assert_eq!(shown(&headers), "HOST=a x-One=new X-Two=2");
    headers.set("Added", b"").unwrap();
    headers.remove("x-two");
    assert_eq!(shown(&headers), "HOST=a x-One=new Added=");
}

#[test]
fn a_field_cannot_become_two() {
    let mut headers = Headers::new();
    for value in [&b"a\r\nB: c"[..], b"a\nb", b"a\0b", b"a\rb", b"\x7f"] {
        assert_eq!(headers.append("X", value), Err(InvalidField), "{value:?}");
        assert_eq!(headers.set("X", value), Err(InvalidField), "{value:?}");
    }
    for name in ["", "a b", "a:", "a\r\n", "é"] {
        assert_eq!(headers.append(name, b"v"), Err(InvalidField), "{name:?}");
    }
    assert!(headers.is_empty());
    assert_eq!(headers.append("X", "tab\tand ü".as_bytes()), Ok(()));
}

#[test]
fn elements_are_split_over_all_fields() {
    let mut headers = Headers::new();
    headers.append("Connection", b" close ,, X-a").unwrap();
    headers.append("connection", b"Keep-Alive").unwrap();
    let elements: Vec<_> = headers.elements(Known::Connection).collect();
    assert_eq!(elements, [&b"close"[..], b"X-a", b"Keep-Alive"]);
    assert!(headers.has_element(Known::Connection, "keep-alive"));
    assert!(!headers.has_element(Known::Connection, "keep"));
}

#[test]
fn every_known_name_is_found_in_any_case() {
    for (name, known) in [
        ("Connection", Known::Connection),
        ("CONTENT-length", Known::ContentLength),
        ("date", Known::Date),
        ("Expect", Known::Expect),
        ("hOST", Known::Host),
        ("HTTP2-Settings", Known::Http2Settings),
        ("Keep-Alive", Known::KeepAlive),
        ("Proxy-Connection", Known::ProxyConnection),
        ("TE", Known::Te),
        ("Trailer", Known::Trailer),
        ("Transfer-Encoding", Known::TransferEncoding),
        ("Upgrade", Known::Upgrade),
        ("Transfer_Encoding", Known::Other),
        ("", Known::Other),
    ] {
        assert_eq!(Known::of(name.as_bytes()), known, "{name}");
    }
}
