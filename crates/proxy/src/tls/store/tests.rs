use std::time::SystemTime;

use super::super::client::Client;
use super::super::server::{ClientValidation, Server, Source};
use super::super::testing::*;
use super::*;

fn now() -> SystemTime {
    SystemTime::now()
}

#[test]
fn only_a_whole_and_valid_set_replaces_the_last() {
    let (authority, directory) = (Authority::new("root"), Directory::new());
    let mut store = server(&directory, &authority, &["app.test"]);
    let first = store.current().clone();
    assert!(matches!(store.reload(now()), Reload::Unchanged));

    // The certificate is there before its key.
    let next = authority.issue(&["app.test", "new.test"]);
    directory.write("tls.crt", &next.certificate);
    let Reload::Kept(error) = store.reload(now()) else {
        panic!("half a set was taken over")
    };
    assert!(error.to_string().contains("is not the key of"), "{error}");
    assert!(matches!(store.reload(now()), Reload::Kept(_)));
    let status = store.status(now());
    assert_eq!(
        (status.generation, status.failures),
        (1, 1),
        "one bad set is one failure, however often it is looked at"
    );
    assert!(status.refused.unwrap().contains("tls.key"));
    assert!(Arc::ptr_eq(store.current(), &first));

    directory.write("tls.key", &next.key);
    assert!(matches!(store.reload(now()), Reload::Swapped));
    let status = store.status(now());
    assert_eq!(
        (status.generation, status.failures, status.refused),
        (2, 1, None)
    );
    assert_eq!(status.certificates[0].names, ["app.test", "new.test"]);
    assert_eq!(status.certificates[0].generation, 2);

    std::fs::remove_file(directory.path("tls.key")).unwrap();
    assert!(matches!(
        store.reload(now()),
        Reload::Kept(Error::Read { .. })
    ));
    directory.write("tls.key", &next.key);
    assert!(matches!(store.reload(now()), Reload::Unchanged));
    assert_eq!(
        store.status(now()).refused,
        None,
        "the files in use are back"
    );
}

#[test]
fn a_set_that_becomes_valid_later_is_taken_over_then() {
    let (authority, directory) = (Authority::new("root"), Directory::new());
    let mut store = server(&directory, &authority, &["app.test"]);
    let algorithm = &rcgen::PKCS_ECDSA_P256_SHA256;
    directory.pair(
        "tls",
        &authority.issue_with(&["app.test"], algorithm, now() + DAY, now() + 9 * DAY),
    );
    assert!(matches!(
        store.reload(now()),
        Reload::Kept(Error::NotYetValid { .. })
    ));
    assert!(matches!(store.reload(now() + 2 * DAY), Reload::Swapped));
    directory.pair(
        "tls",
        &authority.issue_with(&["app.test"], algorithm, now() - 3 * DAY, now() - DAY),
    );
    assert!(matches!(
        store.reload(now()),
        Reload::Kept(Error::Expired { .. })
    ));
}

#[test]
fn a_certificate_that_stays_keeps_its_generation() {
    let (authority, directory) = (Authority::new("root"), Directory::new());
    let stays = directory.pair("stays", &authority.issue(&["stays.test"]));
    let goes = directory.pair("goes", &authority.issue(&["goes.test"]));
    let options = server_options(vec![
        Source::Files(stays),
        Source::Files(goes),
        Source::SelfSigned(vec!["dev.test".into()]),
    ]);
    let mut store = Store::<Server>::open(options, now()).unwrap();
    directory.pair("goes", &authority.issue(&["goes.test"]));
    assert!(matches!(store.reload(now()), Reload::Swapped));
    let generations: Vec<_> = store
        .status(now())
        .certificates
        .iter()
        .map(|c| c.generation)
        .collect();
    assert_eq!(generations, [1, 2, 1]);
}

#[test]
fn authorities_are_files_of_the_set_too() {
    let (authority, directory) = (Authority::new("root"), Directory::new());
    let mut options = server_options(vec![Source::Files(
        directory.pair("tls", &authority.issue(&["app.test"])),
    )]);
    let ca = directory.write("ca.pem", &authority.pem());
    options.client = Some(ClientValidation {
        required: true,
        authorities: vec![ca.clone()],
        subject_alt_names: vec![],
    });
    let mut store = Store::<Server>::open(options, now()).unwrap();
    assert!(store.uses(&ca) && store.paths().len() == 3);
    directory.write("ca.pem", "");
    assert!(matches!(
        store.reload(now()),
        Reload::Kept(Error::NoCertificate { .. })
    ));
    directory.write(
        "ca.pem",
        &(authority.pem() + &Authority::new("other").pem()),
    );
    assert!(matches!(store.reload(now()), Reload::Swapped));

    let mut client: Store<Client> = client(&directory, &authority);
    directory.write("believed.pem", &Authority::new("other").pem());
    assert!(matches!(client.reload(now()), Reload::Swapped));
}

#[test]
fn a_first_set_has_to_be_whole() {
    let directory = Directory::new();
    let missing = super::super::Pair {
        certificate: directory.path("a.crt"),
        key: directory.path("a.key"),
    };
    let error =
        Store::<Server>::open(server_options(vec![Source::Files(missing)]), now()).unwrap_err();
    assert!(error.to_string().contains("a.crt"), "{error}");
    let error = Store::<Server>::open(server_options(vec![]), now()).unwrap_err();
    assert!(matches!(error, Error::Nothing));
}
