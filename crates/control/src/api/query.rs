//! The part of a request after the question mark, and other parameters.

use std::str::FromStr;

use hyper::Uri;
use manifest::meta::status::Status;
use percent_encoding::percent_decode_str;

use super::answer::Rejected;

/// Parameters in their order; one may come more than once.
#[derive(Debug, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub(crate) fn of(uri: &Uri) -> Self {
        let decode = |text: &str| {
            let spaced = text.replace('+', " ");
            percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
        };
        let pairs = uri.query().unwrap_or_default().split('&');
        Self(
            pairs
                .filter(|pair| !pair.is_empty())
                .map(|pair| {
                    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                    (decode(name), decode(value))
                })
                .collect(),
        )
    }

    /// The first value of a parameter; an empty one is none.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next().filter(|value| !value.is_empty())
    }

    /// All values of a parameter.
    pub(crate) fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        let name = name.to_owned();
        self.0
            .iter()
            .filter(move |(known, _)| *known == name)
            .map(|(_, value)| value.as_str())
    }

    /// Whether a switch is on.
    pub(crate) fn is(&self, name: &str) -> bool {
        self.all(name)
            .next()
            .is_some_and(|value| matches!(value, "true" | "1" | "True" | "TRUE" | "t" | "T"))
    }

    /// A parameter that is a number or a time.
    pub(crate) fn parsed<T: FromStr>(&self, name: &str) -> Result<Option<T>, Rejected> {
        self.get(name)
            .map(|value| {
                value.parse().map_err(|_| {
                    Status::bad_request(format!("invalid value {value:?} of parameter {name}"))
                        .into()
                })
            })
            .transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters() {
        let uri = "/x?command=echo&command=a+b%26c&stdin=true&tailLines=10&container="
            .parse()
            .expect("uri");
        let query = Query::of(&uri);
        assert_eq!(query.all("command").collect::<Vec<_>>(), ["echo", "a b&c"]);
        assert!(query.is("stdin") && !query.is("stdout"));
        assert_eq!(query.get("container"), None);
        assert_eq!(query.parsed::<u32>("tailLines").expect("number"), Some(10));
        assert!(query.parsed::<u32>("command").is_err());
    }
}
