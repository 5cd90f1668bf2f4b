use super::*;

fn request(version: Version, fields: &[(&str, &str)]) -> Result<Framing, Reason> {
    let mut head = RequestHead::new(b"POST", b"/", version).unwrap();
    for (name, value) in fields {
        head.headers_mut().append(name, value.as_bytes()).unwrap();
    }
    of_request(&head).map_err(|failure| failure.reason)
}

#[test]
fn a_request_is_framed_in_one_way_or_refused() {
    use Reason::{AmbiguousFraming as Ambiguous, UnsupportedTransferCoding as Unsupported};
    let cl = "Content-Length";
    let te = "Transfer-Encoding";
    for (fields, expected) in [
        (vec![], Ok(Framing::None)),
        (vec![(cl, "0")], Ok(Framing::Length(0))),
        (vec![(cl, "0010")], Ok(Framing::Length(10))),
        (vec![(te, "Chunked")], Ok(Framing::Chunked)),
        // CL.TE and TE.CL
        (vec![(cl, "4"), (te, "chunked")], Err(Ambiguous)),
        (vec![(te, "chunked"), (cl, "4")], Err(Ambiguous)),
        // TE.TE
        (vec![(te, "chunked"), (te, "chunked")], Err(Ambiguous)),
        (vec![(te, "chunked"), (te, "x")], Err(Ambiguous)),
        (vec![(te, "chunked, identity")], Err(Ambiguous)),
        (vec![(te, "identity, chunked")], Err(Ambiguous)),
        (vec![(te, "chunked, chunked")], Err(Ambiguous)),
        (vec![(te, "xchunked")], Err(Ambiguous)),
        (vec![(te, "\"chunked\"")], Err(Ambiguous)),
        (vec![(te, "chunked;a=b")], Err(Ambiguous)),
        (vec![(te, "")], Err(Ambiguous)),
        (vec![(te, "gzip")], Err(Unsupported)),
        (vec![(te, "identity")], Err(Unsupported)),
        (vec![("Transfer_Encoding", "chunked")], Err(Ambiguous)),
        (vec![("content_length", "5")], Err(Ambiguous)),
        // lengths
        (vec![(cl, "5"), (cl, "5")], Err(Ambiguous)),
        (vec![(cl, "5, 5")], Err(Ambiguous)),
        (vec![(cl, "+5")], Err(Ambiguous)),
        (vec![(cl, "-5")], Err(Ambiguous)),
        (vec![(cl, "0x5")], Err(Ambiguous)),
        (vec![(cl, "5 5")], Err(Ambiguous)),
        (vec![(cl, "")], Err(Ambiguous)),
        (vec![(cl, "18446744073709551616")], Err(Ambiguous)),
        (vec![(cl, "18446744073709551615")], Err(Ambiguous)),
        (vec![(cl, "٥")], Err(Ambiguous)),
    ] {
        assert_eq!(request(Version::Http11, &fields), expected, "{fields:?}");
    }
    assert_eq!(request(Version::Http10, &[(te, "chunked")]), Err(Ambiguous));
}

#[test]
fn responses_without_a_body_have_none_whatever_they_say() {
    for (method, status, fields, expected) in [
        (
            "GET",
            200,
            vec![("Content-Length", "5")],
            Ok(Framing::Length(5)),
        ),
        ("GET", 200, vec![], Ok(Framing::UntilClose)),
        (
            "HEAD",
            200,
            vec![("Content-Length", "5")],
            Ok(Framing::None),
        ),
        ("GET", 204, vec![("Content-Length", "5")], Ok(Framing::None)),
        (
            "GET",
            304,
            vec![("Transfer-Encoding", "chunked")],
            Ok(Framing::None),
        ),
        ("GET", 101, vec![], Ok(Framing::None)),
        ("CONNECT", 200, vec![], Ok(Framing::None)),
        (
            "CONNECT",
            403,
            vec![("Content-Length", "5")],
            Ok(Framing::Length(5)),
        ),
        (
            "GET",
            200,
            vec![("Content-Length", "5"), ("Transfer-Encoding", "chunked")],
            Err(Reason::MalformedResponse),
        ),
        (
            "HEAD",
            200,
            vec![("Content-Length", "a")],
            Err(Reason::MalformedResponse),
        ),
    ] {
        let mut head = ResponseHead::new(status);
        for (name, value) in &fields {
            head.headers_mut().append(name, value.as_bytes()).unwrap();
        }
        let framing = of_response(&head, method).map_err(|failure| failure.reason);
        assert_eq!(framing, expected, "{method} {status} {fields:?}");
    }
}
