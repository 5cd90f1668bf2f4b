use super::super::testing::{Authority, DAY, Directory, Issued};
use super::*;

fn load(pair: &Pair) -> Result<Credential, Error> {
    let files = Files::read(&[pair.certificate.clone(), pair.key.clone()])?;
    Credential::of(pair, &files, 1, SystemTime::now())
}

fn error(pair: &Pair) -> String {
    load(pair).unwrap_err().to_string()
}

#[test]
fn a_pair_with_its_chain_says_what_it_is() {
    let root = Authority::new("root");
    let middle = root.below("middle");
    let mut issued = middle.issue(&["App.example.com", "10.0.0.1", "spiffe://td/ns/a"]);
    issued.certificate += &middle.pem();
    let directory = Directory::new();
    let credential = load(&directory.pair("tls", &issued)).unwrap();
    assert_eq!(credential.key.cert.len(), 2);
    let facts = &credential.facts;
    assert_eq!(
        facts.names,
        ["app.example.com", "10.0.0.1", "spiffe://td/ns/a"]
    );
    assert!(facts.source.ends_with("tls.crt"));
    assert!(
        facts.subject.contains("App.example.com"),
        "{}",
        facts.subject
    );
    let left = facts.not_after.duration_since(SystemTime::now()).unwrap();
    assert!(left > 29 * DAY && left <= 30 * DAY, "{left:?}");
}

#[test]
fn each_kind_of_key_can_be_used() {
    let root = Authority::new("root");
    let directory = Directory::new();
    let (begin, end) = (SystemTime::now() - DAY, SystemTime::now() + DAY);
    for algorithm in [
        &rcgen::PKCS_ECDSA_P256_SHA256,
        &rcgen::PKCS_ECDSA_P384_SHA384,
        &rcgen::PKCS_ED25519,
        &rcgen::PKCS_RSA_SHA256,
    ] {
        let issued = root.issue_with(&["a"], algorithm, begin, end);
        load(&directory.pair("tls", &issued)).unwrap();
    }
}

#[test]
fn keys_in_older_forms_can_be_used_and_encrypted_ones_are_explained() {
    let directory = Directory::new();
    let run = |script: &str| {
        let mut command = std::process::Command::new("sh");
        let output = command
            .args(["-ec", script])
            .current_dir(directory.path(""))
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    };
    let pair = Pair {
        certificate: directory.path("c.pem"),
        key: directory.path("k.pem"),
    };
    run(
        "openssl ecparam -name prime256v1 -genkey -out k.pem; openssl req -x509 -new -key k.pem -subj /CN=a -out c.pem -days 2",
    );
    assert!(
        std::fs::read_to_string(&pair.key)
            .unwrap()
            .contains("EC PARAMETERS")
    );
    load(&pair).unwrap();
    run(
        "openssl genrsa -traditional -out k.pem 2048; openssl req -x509 -new -key k.pem -subj /CN=a -out c.pem -days 2",
    );
    assert!(
        std::fs::read_to_string(&pair.key)
            .unwrap()
            .contains("BEGIN RSA PRIVATE KEY")
    );
    load(&pair).unwrap();
    run("openssl pkey -in k.pem -aes256 -passout pass:secret -out e.pem; mv e.pem k.pem");
    assert!(
        error(&pair).contains("is encrypted; hint: `openssl pkey"),
        "{}",
        error(&pair)
    );
    run("openssl genrsa -aes256 -passout pass:secret -traditional -out k.pem 2048");
    assert!(error(&pair).contains("is encrypted"), "{}", error(&pair));
    run(
        "openssl genrsa -out k.pem 1024 && openssl req -x509 -new -key k.pem -subj /CN=a -out c.pem -days 2",
    );
    assert!(
        error(&pair).contains("RSA (2048 bits and more)"),
        "{}",
        error(&pair)
    );
}

#[test]
fn what_does_not_belong_together_is_refused() {
    let root = Authority::new("root");
    let middle = root.below("middle");
    let directory = Directory::new();
    let (one, other) = (middle.issue(&["one"]), middle.issue(&["other"]));
    let crossed = Issued {
        certificate: one.certificate.clone(),
        key: other.key,
    };
    let said = error(&directory.pair("tls", &crossed));
    assert!(
        said.contains("is not the key of the first certificate in"),
        "{said}"
    );
    assert!(!said.contains("hint"), "{said}");

    let turned = Issued {
        certificate: middle.pem() + &one.certificate,
        key: one.key.clone(),
    };
    let said = error(&directory.pair("tls", &turned));
    assert!(
        said.contains("certificate 1")
            && said.contains("CN=middle")
            && said.contains("was not issued by"),
        "{said}"
    );

    let stranger = Issued {
        certificate: one.certificate.clone() + &root.pem(),
        key: one.key,
    };
    let said = error(&directory.pair("tls", &stranger));
    assert!(
        said.contains("was not issued by the next one (CN=root)"),
        "{said}"
    );
}

#[test]
fn dates_are_checked_of_each_certificate() {
    let root = Authority::new("root");
    let directory = Directory::new();
    let now = SystemTime::now();
    let algorithm = &rcgen::PKCS_ECDSA_P256_SHA256;
    let said = error(&directory.pair(
        "tls",
        &root.issue_with(&["a"], algorithm, now - 3 * DAY, now - DAY),
    ));
    assert!(
        said.contains("(CN=a) expired at 20") && said.ends_with('Z'),
        "{said}"
    );
    let said = error(&directory.pair(
        "tls",
        &root.issue_with(&["a"], algorithm, now + DAY, now + 2 * DAY),
    ));
    assert!(
        said.contains("is valid only from 20") && said.contains("clock"),
        "{said}"
    );
}

#[test]
fn broken_files_are_named_and_no_key_is_ever_shown() {
    let root = Authority::new("root");
    let good = root.issue(&["a"]);
    let secret = good.key.lines().nth(1).unwrap().to_owned();
    let directory = Directory::new();
    let broken = [
        (
            String::new(),
            good.key.clone(),
            "tls.crt` has no certificate",
        ),
        (
            good.certificate[..300].to_owned(),
            good.key.clone(),
            "has no end",
        ),
        (
            good.certificate.clone(),
            String::new(),
            "tls.key` has no private key",
        ),
        (
            good.certificate.clone(),
            good.certificate.clone(),
            "tls.key` has no private key",
        ),
        (
            good.certificate.clone(),
            good.key[..150].to_owned(),
            "has no end",
        ),
        (
            good.certificate.clone(),
            good.key.replace(&secret[..8], "!!!!!!!!"),
            "is not base64",
        ),
        (
            good.certificate.clone(),
            good.key.replace(&secret[8..16], "AAAAAAAA"),
            "tls.key` cannot be used",
        ),
        (
            good.key.clone(),
            good.key.clone(),
            "tls.crt` has no certificate",
        ),
        (
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".into(),
            good.key.clone(),
            "not X.509",
        ),
    ];
    for (certificate, key, expected) in broken {
        let said = error(&directory.pair("tls", &Issued { certificate, key }));
        assert!(said.contains(expected), "{expected}: {said}");
        assert!(!said.contains(&secret[16..32]), "{said}");
    }
    let missing = Pair {
        certificate: directory.path("none.crt"),
        key: directory.path("none.key"),
    };
    assert!(
        error(&missing).contains("none.crt`: No such file"),
        "{}",
        error(&missing)
    );
}

#[test]
fn a_self_signed_certificate_lasts_as_long_as_the_process() {
    let now = SystemTime::now();
    let names = ["dev.local".to_owned(), "10.1.2.3".to_owned()];
    let one = super::super::self_signed::credential(&names, 1, now).unwrap();
    let again = super::super::self_signed::credential(&names, 7, now).unwrap();
    assert_eq!(one.facts, again.facts);
    assert_eq!(one.facts.names, names);
    let plain = super::super::self_signed::credential(&[], 1, now).unwrap();
    assert_eq!(plain.facts.names, ["localhost", "127.0.0.1", "::1"]);
    assert!(super::super::self_signed::credential(&["a b".into()], 1, now).is_err());
}
