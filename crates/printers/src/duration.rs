//! Ages as kubectl writes them: `5m10s`, `3h`, `2d4h`, `<invalid>`, `<unknown>`.

use std::time::Duration;

use lifecycle::Time;
use lifecycle::columns;
use manifest::meta::v1;

/// A difference of times in milliseconds, after apimachinery's `HumanDuration`: two units at most. What
/// lies more than a second in the future is `<invalid>`.
#[must_use]
pub fn human_duration(millis: i64) -> String {
    if millis <= -2000 {
        return "<invalid>".to_owned();
    }
    let millis = u64::try_from(millis).unwrap_or(0);
    columns::human_duration(Duration::from_millis(millis))
}

/// How long ago a moment was, `<unknown>` when there is none.
#[must_use]
pub fn age(moment: Option<impl Into<Moment>>, now: Time) -> String {
    match moment {
        Some(moment) => human_duration(now.0.saturating_sub(moment.into().0.0)),
        None => "<unknown>".to_owned(),
    }
}

/// A moment out of the API, of whichever precision.
#[derive(Clone, Copy, Debug)]
pub struct Moment(Time);

impl From<v1::Time> for Moment {
    fn from(time: v1::Time) -> Self {
        Self(time.0.into())
    }
}

impl From<v1::MicroTime> for Moment {
    fn from(time: v1::MicroTime) -> Self {
        Self(time.0.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_in_kubectl() {
        const SECOND: i64 = 1000;
        const HOUR: i64 = 3600 * SECOND;
        for (millis, text) in [
            (-2 * SECOND, "<invalid>"),
            (-2 * SECOND + 1, "0s"),
            (0, "0s"),
            (999, "0s"),
            (119 * SECOND, "119s"),
            (120 * SECOND, "2m"),
            (310 * SECOND, "5m10s"),
            (10 * 60 * SECOND + 59 * SECOND, "10m"),
            (179 * 60 * SECOND, "179m"),
            (3 * HOUR, "3h"),
            (7 * HOUR + 59 * 60 * SECOND, "7h59m"),
            (8 * HOUR + 1, "8h"),
            (47 * HOUR, "47h"),
            (52 * HOUR, "2d4h"),
            (192 * HOUR, "8d"),
            (729 * 24 * HOUR, "729d"),
            (731 * 24 * HOUR, "2y1d"),
            (2920 * 24 * HOUR, "8y"),
        ] {
            assert_eq!(human_duration(millis), text, "{millis} ms");
        }
    }

    #[test]
    fn ages() {
        let moment = Time::from_secs(1000).to_meta();
        assert_eq!(age(Some(moment), Time::from_secs(1075)), "75s");
        assert_eq!(age(Some(moment), Time::from_secs(900)), "<invalid>");
        assert_eq!(age(None::<v1::Time>, Time::from_secs(900)), "<unknown>");
    }
}
