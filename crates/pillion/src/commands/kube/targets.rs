//! What a command is about: `pods`, `pod web api`, `pod/web event/x`, as kubectl reads it.

use client::Resource;

use crate::commands::Failure;

/// A kind of object that can be named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `pods`
    Pods,
    /// `events`
    Events,
}

/// What is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// All of a kind.
    All(Kind),
    /// One by its name.
    One(Kind, String),
}

impl Kind {
    /// Its name in one word, as `pod`.
    pub(crate) fn singular(self) -> &'static str {
        match self {
            Self::Pods => "pod",
            Self::Events => "event",
        }
    }

    /// Its name in lists and errors, as `pods`.
    pub(crate) fn plural(self) -> &'static str {
        match self {
            Self::Pods => "pods",
            Self::Events => "events",
        }
    }

    /// The collection it is served in.
    pub(crate) fn resource(self) -> Resource {
        match self {
            Self::Pods => Resource::Pods,
            Self::Events => Resource::Events,
        }
    }

    fn parse(word: &str) -> Result<Self, Failure> {
        let lower = word.to_lowercase();
        // The group may be written out: the core group has no name, only a version.
        let bare = lower.strip_suffix(".v1.").unwrap_or(&lower);
        match bare {
            "pods" | "pod" | "po" => Ok(Self::Pods),
            "events" | "event" | "ev" => Ok(Self::Events),
            _ => Err(Failure::text(format!(
                "the server doesn't have a resource type {word:?}"
            ))),
        }
    }
}

impl Target {
    /// Its kind.
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::All(kind) | Self::One(kind, _) => *kind,
        }
    }
}

/// Reads the arguments of a command.
pub(crate) fn parse(arguments: &[String]) -> Result<Vec<Target>, Failure> {
    let slashes = arguments.iter().filter(|one| one.contains('/')).count();
    if slashes > 0 {
        if slashes < arguments.len() {
            return Err(Failure::text(
                "there is no need to specify a resource type as a separate argument when passing arguments in \
                 resource/name form (e.g. 'pillion get resource/<resource_name>' instead of 'pillion get resource \
                 resource/<resource_name>'"
                    .into(),
            ));
        }
        return arguments.iter().map(|one| type_and_name(one)).collect();
    }
    let Some((types, names)) = arguments.split_first() else {
        return Ok(Vec::new());
    };
    let mut targets = Vec::new();
    for word in types.split(',').filter(|word| !word.is_empty()) {
        // What kubectl calls the category of what runs.
        let kind = match word {
            "all" if names.is_empty() => Kind::Pods,
            word => Kind::parse(word)?,
        };
        if names.is_empty() {
            let all = Target::All(kind);
            if !targets.contains(&all) {
                targets.push(all);
            }
        }
        targets.extend(names.iter().map(|name| Target::One(kind, name.clone())));
    }
    Ok(targets)
}

fn type_and_name(argument: &str) -> Result<Target, Failure> {
    let wrong = |what: &str| {
        Err(Failure::text(format!(
            "arguments in resource/name form {what}"
        )))
    };
    let Some((kind, name)) = argument.split_once('/') else {
        return wrong("must have a single resource and name");
    };
    if name.contains('/') {
        return wrong("may not have more than one slash");
    }
    if kind.is_empty() || name.is_empty() || kind.contains(',') {
        return wrong("must have a single resource and name");
    }
    Ok(Target::One(Kind::parse(kind)?, name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &str) -> Result<Vec<Target>, String> {
        let words: Vec<String> = arguments.split(' ').map(str::to_owned).collect();
        parse(&words).map_err(|error| error.to_string())
    }

    fn one(kind: Kind, name: &str) -> Target {
        Target::One(kind, name.into())
    }

    #[test]
    fn as_kubectl_reads_them() {
        use Kind::{Events, Pods};
        for word in ["pods", "pod", "po", "Pod", "PODS", "pods.v1.", "all"] {
            assert_eq!(read(word), Ok(vec![Target::All(Pods)]), "{word}");
        }
        assert_eq!(
            read("po,ev,pods"),
            Ok(vec![Target::All(Pods), Target::All(Events)])
        );
        assert_eq!(read("pod a b"), Ok(vec![one(Pods, "a"), one(Pods, "b")]));
        assert_eq!(
            read("pod/a ev/b"),
            Ok(vec![one(Pods, "a"), one(Events, "b")])
        );
        assert_eq!(
            read("pod,event x"),
            Ok(vec![one(Pods, "x"), one(Events, "x")])
        );
        assert_eq!(read("pod all"), Ok(vec![one(Pods, "all")]));
    }

    #[test]
    fn errors_are_kubectls() {
        for (arguments, error) in [
            (
                "widgets",
                "the server doesn't have a resource type \"widgets\"",
            ),
            (
                "widget/a",
                "the server doesn't have a resource type \"widget\"",
            ),
            (
                "pod/a/b",
                "arguments in resource/name form may not have more than one slash",
            ),
            (
                "pod/",
                "arguments in resource/name form must have a single resource and name",
            ),
            (
                "pod,ev/a",
                "arguments in resource/name form must have a single resource and name",
            ),
        ] {
            assert_eq!(read(arguments), Err(error.into()), "{arguments}");
        }
        let mixed = read("pod pod/a").expect_err("mixed");
        assert!(mixed.starts_with("there is no need to specify a resource type"));
    }
}
