//! A story made short: what happens over and over is counted.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::distance;
use super::Moment;

/// The same thing is told so often; after that only how often it happens again.
const TOLD: usize = 3;

/// The story as it is told: what happens over and over is told a few times, then counted.
pub(in crate::what_if) fn told(moments: Vec<Moment>, length: Duration) -> Vec<Moment> {
    let mut seen: BTreeMap<(String, String), usize> = BTreeMap::new();
    let mut hidden: BTreeMap<String, (usize, Vec<i64>)> = BTreeMap::new();
    let mut told: Vec<Moment> = Vec::new();
    for moment in moments {
        let what: String = moment
            .what
            .chars()
            .filter(|c| !c.is_ascii_digit())
            .collect();
        let count = seen.entry((moment.who.clone(), what)).or_default();
        *count += 1;
        if *count <= TOLD {
            told.push(moment);
            continue;
        }
        let position = told.len();
        let (_, starts) = hidden
            .entry(moment.who.clone())
            .or_insert((position, Vec::new()));
        if moment.what.starts_with("starts again")
            || moment.who == "pod" && moment.what == "is not Ready"
        {
            starts.push(moment.at_ms);
        }
        if starts.is_empty() && moment.what.starts_with("cannot start") {
            starts.push(moment.at_ms);
        }
    }
    let mut hidden: Vec<_> = hidden.into_iter().collect();
    hidden.sort_by_key(|(_, (position, _))| std::cmp::Reverse(*position));
    for (who, (position, times)) in hidden {
        let Some(first) = times.first().copied() else {
            continue;
        };
        let at = |ms: &i64| distance(Duration::from_millis(u64::try_from(*ms).unwrap_or(0)));
        let listed: Vec<String> = times.iter().take(6).map(at).collect();
        let more = if times.len() > 6 { ", ..." } else { "" };
        let what = match times.len() {
            1 => "and so on, once more".to_owned(),
            n => format!("and so on, {n} times more"),
        };
        let why = format!(
            "at {}{more}; cut at {}",
            listed.join(", "),
            distance(length)
        );
        let moment = Moment {
            at_ms: first,
            who,
            what,
            why,
            bad: false,
        };
        told.insert(position, moment);
    }
    told.sort_by_key(|moment| moment.at_ms);
    told
}
