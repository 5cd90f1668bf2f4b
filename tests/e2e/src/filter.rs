//! Replaces what differs from run to run, so that the rest can be compared to the letter.

use regex::Regex;

/// `PATTERN => REPLACEMENT`, with `$1` for groups.
#[derive(Clone, Debug)]
pub struct Rule {
    pattern: Regex,
    replacement: String,
}

impl Rule {
    /// Reads a line of a file `filters`.
    pub fn parse(line: &str) -> Result<Self, String> {
        let (pattern, replacement) = line
            .split_once(" => ")
            .ok_or("a filter is `PATTERN => REPLACEMENT`")?;
        Self::new(pattern.trim(), replacement.trim()).map_err(|error| error.to_string())
    }

    /// A rule of two parts.
    pub fn new(pattern: &str, replacement: &str) -> Result<Self, regex::Error> {
        Ok(Self {
            pattern: Regex::new(pattern)?,
            replacement: replacement.to_owned(),
        })
    }
}

/// What is replaced in every case, in this order: what a longer pattern takes must not be torn apart by a
/// shorter one.
const COMMON: [(&str, &str); 7] = [
    (
        r"\b\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:?\d{2})?",
        "<TIME>",
    ),
    (
        r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b",
        "<UID>",
    ),
    (r"\bsha256:[0-9a-f]{12,64}\b", "<DIGEST>"),
    (r"\b10\.222\.\d{1,3}\.\d{1,3}\b", "<POD-IP>"),
    (r"\bfd70:696c:6c69:[0-9a-f:]*", "<POD-IP6>"),
    (r"\bpil[0-9a-f]{8}\b", "<LINK>"),
    (r"\b\d+(\.\d+)?(ns|us|µs|ms|s)\b", "<DURATION>"),
];

/// The rules of every case, and those of one case, which come first.
#[derive(Clone, Debug)]
pub struct Filter(Vec<Rule>);

impl Filter {
    /// `paths`: what is replaced literally, such as the state directory.
    pub fn new(own: &[Rule], paths: &[(&str, &str)]) -> Result<Self, regex::Error> {
        let literal = paths
            .iter()
            .map(|(path, name)| Rule::new(&regex::escape(path), name));
        let common = COMMON
            .iter()
            .map(|(pattern, name)| Rule::new(pattern, name));
        let mut rules: Vec<Rule> = literal.collect::<Result<_, _>>()?;
        rules.extend_from_slice(own);
        rules.extend(common.collect::<Result<Vec<_>, _>>()?);
        Ok(Self(rules))
    }

    /// The text with everything replaced.
    pub fn apply(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, rule| {
            rule.pattern
                .replace_all(&text, rule.replacement.as_str())
                .into_owned()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_from_run_to_run() {
        let filter = Filter::new(&[], &[("/tmp/x/root", "<ROOT>")]).expect("filter");
        for (given, expected) in [
            ("at 2026-11-20T13:06:07.123456Z.", "at <TIME>."),
            ("at 2026-11-20 13:06:07+02:00", "at <TIME>"),
            (
                "took 1.5s, 20ms and 3µs",
                "took <DURATION>, <DURATION> and <DURATION>",
            ),
            ("uid 6e1c0a9e-2c3d-4f5a-8b9c-0d1e2f3a4b5c", "uid <UID>"),
            (
                "10.222.3.4 and fd70:696c:6c69::3:4",
                "<POD-IP> and <POD-IP6>",
            ),
            ("under /tmp/x/root/lib", "under <ROOT>/lib"),
            (
                "10.2.22.3 stays, so does 5 s",
                "10.2.22.3 stays, so does 5 s",
            ),
        ] {
            assert_eq!(filter.apply(given), expected);
        }
    }

    #[test]
    fn rules_of_a_case_come_first() {
        let own = Rule::parse(r"took (\d+)s => took some time ($1)").expect("rule");
        let filter = Filter::new(&[own], &[]).expect("filter");
        assert_eq!(filter.apply("took 3s"), "took some time (3)");
        assert!(Rule::parse("no arrow").is_err());
        assert!(Rule::parse("( => x").is_err());
    }
}
