//! Label and field selectors, as the API server reads them.

use std::collections::BTreeMap;

/// A selector could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SelectorError(String);

/// What labels an object must have: all requirements hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LabelSelector(Vec<Requirement>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Requirement {
    key: String,
    operator: Operator,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Operator {
    Exists,
    DoesNotExist,
    In(Vec<String>),
    NotIn(Vec<String>),
}

impl LabelSelector {
    /// Reads `a=b,c!=d,e in (f,g),h notin (i),j,!k`.
    ///
    /// # Errors
    /// For what is no selector.
    pub fn parse(text: &str) -> Result<Self, SelectorError> {
        let mut requirements = Vec::new();
        for part in split(text)? {
            requirements.push(requirement(&part).ok_or_else(|| {
                SelectorError(format!(
                    "unable to parse requirement: {part:?} is no requirement (write it as key=value, key!=value, \
                     \"key in (a,b)\", \"key notin (a,b)\", key or !key)"
                ))
            })?);
        }
        Ok(Self(requirements))
    }

    /// Whether labels meet all requirements.
    #[must_use]
    pub fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        self.0.iter().all(|requirement| {
            let value = labels.get(&requirement.key);
            match &requirement.operator {
                Operator::Exists => value.is_some(),
                Operator::DoesNotExist => value.is_none(),
                Operator::In(values) => value.is_some_and(|value| values.contains(value)),
                // What has no such label is not among them either.
                Operator::NotIn(values) => value.is_none_or(|value| !values.contains(value)),
            }
        })
    }
}

/// The parts between commas that are not in brackets.
fn split(text: &str) -> Result<Vec<String>, SelectorError> {
    let mut parts = vec![String::new()];
    let mut inside = false;
    for character in text.chars() {
        match character {
            '(' if !inside => inside = true,
            ')' if inside => inside = false,
            '(' | ')' => {
                return Err(SelectorError(format!(
                    "unable to parse requirement: brackets do not match in {text:?}"
                )));
            }
            ',' if !inside => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(part) = parts.last_mut() {
            part.push(character);
        }
    }
    if inside {
        return Err(SelectorError(format!(
            "unable to parse requirement: brackets do not match in {text:?}"
        )));
    }
    parts
        .iter_mut()
        .for_each(|part| *part = part.trim().to_owned());
    if parts.iter().all(String::is_empty) {
        return Ok(Vec::new());
    }
    Ok(parts)
}

fn requirement(part: &str) -> Option<Requirement> {
    let made = |key: &str, operator| {
        let key = key.trim();
        let known = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
        (!key.is_empty() && key.chars().all(known)).then(|| Requirement {
            key: key.to_owned(),
            operator,
        })
    };
    let one = |value: &str| vec![value.trim().to_owned()];
    if let Some(key) = part.strip_prefix('!') {
        return made(key, Operator::DoesNotExist);
    }
    if let Some((left, values)) = part.strip_suffix(')').and_then(|rest| rest.split_once('(')) {
        let values = values.split(',').map(|value| value.trim().to_owned());
        let values = values.collect();
        let (key, word) = left.trim().rsplit_once(char::is_whitespace)?;
        return match word {
            "in" => made(key, Operator::In(values)),
            "notin" => made(key, Operator::NotIn(values)),
            _ => None,
        };
    }
    if let Some((key, value)) = part.split_once("!=") {
        return made(key, Operator::NotIn(one(value)));
    }
    if let Some((key, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
        return made(key, Operator::In(one(value)));
    }
    made(part, Operator::Exists)
}

/// What fields an object must have: `metadata.name=web,status.phase!=Running`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldSelector(Vec<(String, bool, String)>);

impl FieldSelector {
    /// Reads a selector whose fields are among `known`.
    ///
    /// # Errors
    /// For what is no selector, and for fields that cannot be selected by.
    pub fn parse(text: &str, known: &[&str]) -> Result<Self, SelectorError> {
        let mut terms = Vec::new();
        for part in text
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
        {
            let (field, equal, value) = if let Some((field, value)) = part.split_once("!=") {
                (field, false, value)
            } else if let Some((field, value)) =
                part.split_once("==").or_else(|| part.split_once('='))
            {
                (field, true, value)
            } else {
                return Err(SelectorError(format!(
                    "invalid selector: '{text}'; can't understand '{part}'"
                )));
            };
            if !known.contains(&field) {
                return Err(SelectorError(format!(
                    "field label not supported: {field} (there are {})",
                    known.join(", ")
                )));
            }
            terms.push((field.to_owned(), equal, value.to_owned()));
        }
        Ok(Self(terms))
    }

    /// Whether an object meets all terms; `field` gives a field's text, empty for one that is not set.
    pub fn matches(&self, field: impl Fn(&str) -> String) -> bool {
        self.0
            .iter()
            .all(|(name, equal, value)| (field(name) == *value) == *equal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels() {
        let labels: BTreeMap<String, String> = [("app", "web"), ("tier", "front"), ("empty", "")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into();
        for (text, expected) in [
            ("", true),
            ("app=web", true),
            ("app==web,tier=front", true),
            ("app = web", true),
            ("app=other", false),
            ("app!=web", false),
            ("none!=x", true),
            ("app", true),
            ("!app", false),
            ("!none", true),
            ("empty=", true),
            ("app in (web,api)", true),
            ("app in (api)", false),
            ("app notin (api, db),tier", true),
            ("none notin (api)", true),
            ("none in (api)", false),
        ] {
            let selector = LabelSelector::parse(text).expect(text);
            assert_eq!(selector.matches(&labels), expected, "{text}");
        }
        for text in ["a,,b", "=x", "app in (a", "app of (a)", "a b", "app in a)"] {
            assert!(LabelSelector::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn fields() {
        let known = ["metadata.name", "status.phase"];
        let field = |name: &str| {
            match name {
                "metadata.name" => "web",
                _ => "Running",
            }
            .to_owned()
        };
        for (text, expected) in [
            ("", true),
            ("metadata.name=web", true),
            ("metadata.name==web,status.phase!=Failed", true),
            ("metadata.name!=web", false),
        ] {
            let selector = FieldSelector::parse(text, &known).expect(text);
            assert_eq!(selector.matches(field), expected, "{text}");
        }
        assert!(FieldSelector::parse("spec.x=1", &known).is_err());
        assert!(FieldSelector::parse("nonsense", &known).is_err());
    }
}
