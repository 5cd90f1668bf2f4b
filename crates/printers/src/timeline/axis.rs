//! Time as distances from the start: where ticks stand, and how distances are written.

const MILLI: i64 = 1000;
const SECOND: i64 = 1000 * MILLI;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Distances between ticks that are easy to read, in microseconds.
const STEPS: [i64; 34] = [
    MILLI / 10,
    MILLI / 5,
    MILLI / 2,
    MILLI,
    2 * MILLI,
    5 * MILLI,
    10 * MILLI,
    20 * MILLI,
    50 * MILLI,
    100 * MILLI,
    200 * MILLI,
    500 * MILLI,
    SECOND,
    2 * SECOND,
    5 * SECOND,
    10 * SECOND,
    15 * SECOND,
    30 * SECOND,
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
    2 * DAY,
    5 * DAY,
    10 * DAY,
    30 * DAY,
];

/// Ticks over so many microseconds, no more than `most`, with what is written at each.
pub(super) fn ticks(length: i64, most: i64) -> Vec<(i64, String)> {
    let least = length / most.max(1);
    let step = STEPS.into_iter().find(|step| *step > least);
    // Beyond the longest step, a multiple of it.
    let longest = STEPS[STEPS.len() - 1];
    let step = step.unwrap_or((least / longest + 1).saturating_mul(longest));
    let count = length / step;
    (0..=count)
        .map(|tick| (tick * step, label(tick * step)))
        .collect()
}

/// A distance with as many digits as it needs: `0`, `1.5s`, `2m30s`, `3h`, `1d12h`.
fn label(micros: i64) -> String {
    let two = |large: i64, large_unit: &str, small: i64, small_unit: &str| match small {
        0 => format!("{large}{large_unit}"),
        _ => format!("{large}{large_unit}{small}{small_unit}"),
    };
    match micros {
        0 => "0".to_owned(),
        ..SECOND => decimals(micros, MILLI, 3, "ms"),
        SECOND..MINUTE => decimals(micros, SECOND, 3, "s"),
        MINUTE..HOUR => two(micros / MINUTE, "m", micros % MINUTE / SECOND, "s"),
        HOUR..DAY => two(micros / HOUR, "h", micros % HOUR / MINUTE, "m"),
        _ => two(micros / DAY, "d", micros % DAY / HOUR, "h"),
    }
}

/// A duration as exact as one wants to know it: `3.2ms`, `812ms`, `1.23s`, `45.6s`, `2m05s`, `3h02m05s`,
/// `2d03h05m`.
pub(super) fn duration(micros: i64) -> String {
    let micros = micros.max(0);
    match micros {
        ..MILLI => decimals(micros, MILLI, 3, "ms"),
        MILLI..SECOND => decimals(micros, MILLI, if micros < 10 * MILLI { 1 } else { 0 }, "ms"),
        SECOND..MINUTE => decimals(
            micros,
            SECOND,
            if micros < 10 * SECOND { 2 } else { 1 },
            "s",
        ),
        MINUTE..HOUR => format!("{}m{:02}s", micros / MINUTE, micros % MINUTE / SECOND),
        HOUR..DAY => format!(
            "{}h{:02}m{:02}s",
            micros / HOUR,
            micros % HOUR / MINUTE,
            micros % MINUTE / SECOND
        ),
        _ => format!(
            "{}d{:02}h{:02}m",
            micros / DAY,
            micros % DAY / HOUR,
            micros % HOUR / MINUTE
        ),
    }
}

/// A number of units with at most so many digits behind the point, cut off and without needless zeros.
fn decimals(micros: i64, unit: i64, digits: u32, name: &str) -> String {
    let parts = 10i64.pow(digits);
    let amount = micros.saturating_mul(parts) / unit;
    let (whole, fraction) = (amount / parts, amount % parts);
    if fraction == 0 {
        return format!("{whole}{name}");
    }
    let fraction = format!("{fraction:0width$}", width = digits as usize);
    format!("{whole}.{}{name}", fraction.trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_few() {
        for (length, most, expected) in [
            (0, 5, "0"),
            (900, 5, "0 0.2ms 0.4ms 0.6ms 0.8ms"),
            (37 * MILLI, 5, "0 10ms 20ms 30ms"),
            (900 * MILLI, 5, "0 200ms 400ms 600ms 800ms"),
            (2 * SECOND, 5, "0 500ms 1s 1.5s 2s"),
            (45 * SECOND, 5, "0 10s 20s 30s 40s"),
            (100 * SECOND, 5, "0 30s 1m 1m30s"),
            (40 * MINUTE, 5, "0 10m 20m 30m 40m"),
            (26 * HOUR, 5, "0 6h 12h 18h 1d"),
            (40 * DAY, 5, "0 10d 20d 30d 40d"),
            (1000 * DAY, 5, "0 210d 420d 630d 840d"),
        ] {
            let ticks = ticks(length, most).into_iter().map(|(_, label)| label);
            assert_eq!(ticks.collect::<Vec<_>>().join(" "), expected, "{length}");
        }
    }

    #[test]
    fn durations_are_as_exact_as_needed() {
        for (micros, expected) in [
            (0, "0ms"),
            (250, "0.25ms"),
            (3240, "3.2ms"),
            (812_900, "812ms"),
            (SECOND, "1s"),
            (1_239_000, "1.23s"),
            (45_678_000, "45.6s"),
            (125 * SECOND, "2m05s"),
            (3 * HOUR + 125 * SECOND, "3h02m05s"),
            (2 * DAY + 3 * HOUR + 5 * MINUTE, "2d03h05m"),
            (-5, "0ms"),
        ] {
            assert_eq!(duration(micros), expected);
        }
    }
}
