use super::*;

fn parse(text: &str) -> Quantity {
    text.parse()
        .unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn reads_and_writes_as_kubernetes_does() {
    for (text, canonical, value, millis) in [
        ("0", "0", 0, 0),
        ("1", "1", 1, 1000),
        ("0001", "1", 1, 1000),
        ("1000m", "1", 1, 1000),
        ("1500m", "1500m", 2, 1500),
        ("0.5", "500m", 1, 500),
        (".5", "500m", 1, 500),
        ("5.", "5", 5, 5000),
        ("100u", "100u", 1, 1),
        ("1n", "1n", 1, 1),
        ("0.1n", "1n", 1, 1),
        ("1000", "1k", 1000, 1_000_000),
        ("1k", "1k", 1000, 1_000_000),
        ("128974848", "128974848", 128_974_848, 128_974_848_000),
        ("129e6", "129e6", 129_000_000, 129_000_000_000),
        ("12e-1", "1200e-3", 2, 1200),
        ("1E", "1E", 1_000_000_000_000_000_000, i64::MAX),
        ("1E3", "1e3", 1000, 1_000_000),
        ("1Ki", "1Ki", 1024, 1_024_000),
        ("0.5Ki", "512", 512, 512_000),
        ("1023Ki", "1023Ki", 1023 << 10, (1023 << 10) * 1000),
        ("1024Ki", "1Mi", 1 << 20, (1 << 20) * 1000),
        ("1.5Gi", "1536Mi", 3 << 29, (3 << 29) * 1000),
        ("-1.5", "-1500m", -1, -1500),
        ("-1Ki", "-1Ki", -1024, -1_024_000),
        (
            "9223372036854775807",
            "9223372036854775807",
            i64::MAX,
            i64::MAX,
        ),
        (
            "123456789012345678901234567890",
            "9223372036854775807",
            i64::MAX,
            i64::MAX,
        ),
        ("1e400", "9223372036854775807", i64::MAX, i64::MAX),
        ("1e-400", "1e-9", 1, 1),
        ("9Ei", "9223372036854775807", i64::MAX, i64::MAX),
    ] {
        let quantity = parse(text);
        assert_eq!(quantity.to_string(), canonical, "canonical form of {text}");
        assert_eq!(quantity.value(), value, "value of {text}");
        assert_eq!(quantity.millis(), millis, "millis of {text}");
        assert_eq!(parse(canonical), quantity, "{canonical} again");
    }
}

#[test]
fn refuses_with_the_words_of_kubernetes() {
    for (text, error) in [
        ("", QuantityError::Format),
        ("1 Gi", QuantityError::Format),
        ("1GiB", QuantityError::Format),
        ("abc", QuantityError::Format),
        ("1.2.3", QuantityError::Format),
        ("--1", QuantityError::Number),
        ("1é", QuantityError::Format),
        (".", QuantityError::Number),
        ("Mi", QuantityError::Number),
        ("1mi", QuantityError::Suffix),
        ("1K", QuantityError::Suffix),
        ("1ee3", QuantityError::Suffix),
        ("1e99999999999", QuantityError::Suffix),
        ("1k3", QuantityError::Suffix),
    ] {
        assert_eq!(text.parse::<Quantity>(), Err(error), "{text}");
    }
}

#[test]
fn computes_and_compares_by_value() {
    assert_eq!(parse("1") + parse("500m"), parse("1500m"));
    assert_eq!((parse("1Gi") + parse("512Mi")).to_string(), "1536Mi");
    assert!(parse("1G") < parse("1Gi"));
    assert_eq!(parse("1000m"), parse("1"));
    assert_eq!(parse("64Mi").to_bytes(), 64 << 20);
    assert_eq!(parse("-1").to_bytes(), 0);
    assert_eq!(parse("64Mi").divided_by(parse("1Mi")), 64);
    assert_eq!(parse("1500m").divided_by(parse("1")), 2);
    assert_eq!(parse("1500m").divided_by(Quantity::ZERO), 2);
}

#[test]
fn bare_numbers_are_read_from_json() {
    let read = |json: &str| serde_json::from_str::<Quantity>(json).unwrap().to_string();
    assert_eq!(read("1"), "1");
    assert_eq!(read("0.5"), "500m");
    assert_eq!(read("\"64Mi\""), "64Mi");
}
