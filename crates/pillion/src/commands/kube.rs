//! What the verbs that talk to running programs share.

pub(crate) mod containers;
pub(crate) mod select;
pub(crate) mod targets;
pub(crate) mod until;

use client::{Client, PodName};
use node::paths::Paths;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use self::targets::{Kind, Target};
use super::Failure;
use crate::cli::Global;
use crate::term::Term;

/// The running programs of the root that is meant.
pub(crate) fn client(global: &Global) -> Client {
    // Each program that is asked takes a descriptor; shells give out few.
    let limit = getrlimit(Resource::Nofile);
    let most = Rlimit {
        current: limit.maximum,
        ..limit
    };
    // Where it is refused, few will do.
    let _ = setrlimit(Resource::Nofile, most);
    Client::new(Paths::new(global.root.as_deref()).run)
}

/// Does something that waits for others.
pub(crate) fn block_on<T>(what: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    super::runtime()?.block_on(what)
}

/// Tells errors that do not end a command; returns whether there were any.
pub(crate) fn report<E: Into<Failure>>(errors: Vec<E>, term: &Term) -> bool {
    let some = !errors.is_empty();
    for error in errors {
        error.into().report(term);
    }
    some
}

/// A Pod by `NAME` or `pod/NAME`.
pub(crate) fn pod_name(argument: &str, namespace: &str) -> Result<PodName, Failure> {
    if !argument.contains('/') {
        return Ok(PodName::new(namespace, argument));
    }
    match targets::parse(&[argument.to_owned()])?.as_slice() {
        [Target::One(Kind::Pods, name)] => Ok(PodName::new(namespace, name)),
        _ => Err(Failure::text(format!("{argument} is no Pod"))),
    }
}
