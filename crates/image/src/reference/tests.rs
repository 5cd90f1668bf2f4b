use proptest::prelude::*;

use super::*;

const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

#[test]
fn names_are_normalised_as_docker_does() {
    let cases = [
        ("nginx", "docker.io/library/nginx:latest", "nginx:latest"),
        ("nginx:1.25", "docker.io/library/nginx:1.25", "nginx:1.25"),
        (
            "docker.io/nginx",
            "docker.io/library/nginx:latest",
            "nginx:latest",
        ),
        (
            "index.docker.io/nginx",
            "docker.io/library/nginx:latest",
            "nginx:latest",
        ),
        (
            "library/nginx",
            "docker.io/library/nginx:latest",
            "nginx:latest",
        ),
        ("user/app:v1", "docker.io/user/app:v1", "user/app:v1"),
        (
            "library/a/b",
            "docker.io/library/a/b:latest",
            "library/a/b:latest",
        ),
        (
            "localhost/app",
            "localhost/app:latest",
            "localhost/app:latest",
        ),
        (
            "localhost:5000/app",
            "localhost:5000/app:latest",
            "localhost:5000/app:latest",
        ),
        (
            "quay.io/a/b/c:x_Y.z-1",
            "quay.io/a/b/c:x_Y.z-1",
            "quay.io/a/b/c:x_Y.z-1",
        ),
        ("Registry/app", "Registry/app:latest", "Registry/app:latest"),
        (
            "[::1]:5000/app",
            "[::1]:5000/app:latest",
            "[::1]:5000/app:latest",
        ),
        (
            "[fe80::1]/app",
            "[fe80::1]/app:latest",
            "[fe80::1]/app:latest",
        ),
        (
            "f/a__b--c.d_e",
            "docker.io/f/a__b--c.d_e:latest",
            "f/a__b--c.d_e:latest",
        ),
        (
            "docker.io/a.b/c",
            "docker.io/a.b/c:latest",
            "docker.io/a.b/c:latest",
        ),
        (
            "localhost",
            "docker.io/library/localhost:latest",
            "localhost:latest",
        ),
        ("host:5000", "docker.io/library/host:5000", "host:5000"),
    ];
    for (text, canonical, familiar) in cases {
        let reference = Reference::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
        assert_eq!(reference.to_string(), canonical, "{text}");
        assert_eq!(reference.familiar(), familiar, "{text}");
        assert_eq!(Reference::parse(canonical).unwrap(), reference, "{text}");
    }
}

#[test]
fn digests_stand_with_and_without_a_tag() {
    let by_digest = Reference::parse(&format!("nginx@{DIGEST}")).unwrap();
    assert_eq!(
        by_digest.to_string(),
        format!("docker.io/library/nginx@{DIGEST}")
    );
    assert_eq!(
        (by_digest.tag(), by_digest.digest().unwrap().to_string()),
        (None, DIGEST.into())
    );
    let both = Reference::parse(&format!("nginx:1@{DIGEST}")).unwrap();
    assert_eq!(
        both.to_string(),
        format!("docker.io/library/nginx:1@{DIGEST}")
    );
    assert_eq!(both.tag(), Some("1"));
}

#[test]
fn errors_are_the_words_of_kubernetes() {
    let long = "a".repeat(256);
    let cases = [
        ("", "invalid reference format"),
        (":latest", "invalid reference format"),
        ("nginx:", "invalid reference format"),
        ("nginx:a b", "invalid reference format"),
        ("nginx::1", "invalid reference format"),
        ("-nginx", "invalid reference format"),
        ("nginx-", "invalid reference format"),
        ("a___b", "invalid reference format"),
        ("a..b", "invalid reference format"),
        ("a//b", "invalid reference format"),
        ("/a", "invalid reference format"),
        ("-x.io/a", "invalid reference format"),
        ("x.io:/a", "invalid reference format"),
        ("x.io:p/a", "invalid reference format"),
        ("[::1/a", "invalid reference format"),
        ("[]/a:1", "invalid reference format"),
        ("[::1]5/a", "invalid reference format"),
        ("https://x.io/a", "invalid reference format"),
        ("nginx@", "invalid reference format"),
        ("nginx@sha256:abc", "invalid reference format"),
        ("nginx\n", "invalid reference format"),
        ("näginx", "invalid reference format"),
        (
            "Nginx",
            "invalid reference format: repository name (library/Nginx) must be lowercase",
        ),
        (
            "x.io/A/b",
            "invalid reference format: repository name (A/b) must be lowercase",
        ),
        (
            "nginx@sha256:0123456789abcdef0123456789abcdef",
            "invalid checksum digest length",
        ),
        (
            "nginx@sha1:0123456789abcdef0123456789abcdef01234567",
            "unsupported digest algorithm",
        ),
        (
            &format!("x.io/{long}"),
            "repository name must not be more than 255 characters",
        ),
    ];
    for (text, reason) in cases {
        let error = Reference::parse(text).expect_err(text).to_string();
        assert_eq!(
            error,
            format!("couldn't parse image name {text:?}: {reason}")
        );
    }
    let hex = "a".repeat(64);
    assert_eq!(
        Reference::parse(&hex).unwrap_err().to_string(),
        format!(
            "couldn't parse image name {hex:?}: invalid repository name ({hex}), cannot specify 64-byte hexadecimal strings"
        )
    );
    let tag = format!("nginx:{}", "t".repeat(129));
    assert!(Reference::parse(&tag).is_err());
}

#[test]
fn pillion_with_any_tag_is_the_program_itself() {
    for (text, builtin) in [
        ("pillion", true),
        ("pillion:v9", true),
        ("docker.io/library/pillion:1", true),
        ("pillion/pillion", false),
        ("localhost/pillion", false),
    ] {
        assert_eq!(
            Reference::parse(text).unwrap().is_builtin(),
            builtin,
            "{text}"
        );
    }
    assert!(
        !Reference::parse(&format!("pillion@{DIGEST}"))
            .unwrap()
            .is_builtin()
    );
}

proptest! {
    #[test]
    fn any_text_parses_or_errs_and_canonical_forms_are_fixed_points(text in ".{0,80}") {
        if let Ok(reference) = Reference::parse(&text) {
            let canonical = reference.to_string();
            prop_assert_eq!(&Reference::parse(&canonical).unwrap(), &reference);
            prop_assert_eq!(&Reference::parse(&reference.familiar()).unwrap(), &reference);
        }
    }

    #[test]
    fn texts_near_the_grammar_parse_or_err(text in "[a-zA-Z0-9.:/@_\\[\\]-]{0,40}") {
        if let Ok(reference) = Reference::parse(&text) {
            prop_assert_eq!(&Reference::parse(&reference.to_string()).unwrap(), &reference);
        }
    }
}
