//! Where objects are looked for: one namespace, or all.

use clap::Args;

use crate::completion;

/// A namespace.
#[derive(Clone, Debug, Args)]
pub(crate) struct Namespace {
    /// The namespace [default: default]
    #[arg(
        short = 'n',
        long = "namespace",
        value_name = "NAMESPACE",
        add = completion::namespace()
    )]
    pub(crate) given: Option<String>,
}

impl Namespace {
    /// The one that was given, or `default`.
    pub(crate) fn name(&self) -> &str {
        match self.given.as_deref() {
            None | Some("") => "default",
            Some(given) => given,
        }
    }
}

/// A namespace, or all of them.
#[derive(Clone, Debug, Args)]
pub(crate) struct AnyScope {
    #[command(flatten)]
    pub(crate) namespace: Namespace,
    /// Look in all namespaces
    #[arg(short = 'A', long)]
    pub(crate) all_namespaces: bool,
}

impl AnyScope {
    /// The one that is meant; nothing stands for all.
    pub(crate) fn one(&self) -> Option<&str> {
        (!self.all_namespaces).then(|| self.namespace.name())
    }
}
