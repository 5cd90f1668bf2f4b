//! Values as Go prints them: with `%v`, which is what kubectl shows of numbers and nested values, and as JSON.

use serde_json::Value;

mod json;

pub use json::{json, json_indented};

/// A JSON value as Go prints it once decoded: text bare, `<nil>`, `[1 2]`, `map[a:1 b:2]`.
#[must_use]
pub fn format(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (None, None, Some(float)) => format_float(float),
            _ => number.to_string(),
        },
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let items = items.iter().map(format).collect::<Vec<_>>();
            format!("[{}]", items.join(" "))
        }
        Value::Object(map) => {
            let mut entries = map.iter().collect::<Vec<_>>();
            entries.sort_by_key(|(key, _)| key.as_str());
            let entries = entries
                .iter()
                .map(|(key, value)| format!("{key}:{}", format(value)))
                .collect::<Vec<_>>();
            format!("map[{}]", entries.join(" "))
        }
    }
}

/// A float with the fewest digits that keep its value; with an exponent below 10^-4 and from 10^21 on.
#[must_use]
pub fn format_float(float: f64) -> String {
    if !float.is_finite() {
        return match float {
            f64::INFINITY => "+Inf",
            f64::NEG_INFINITY => "-Inf",
            _ => "NaN",
        }
        .to_owned();
    }
    if float == 0.0 || (1e-4..1e21).contains(&float.abs()) {
        return float.to_string();
    }
    with_exponent(float)
}

/// `1.5e+21`: the exponent of two digits at least, and always with a sign.
pub(crate) fn with_exponent(float: f64) -> String {
    let text = format!("{float:e}");
    match text.split_once('e') {
        Some((mantissa, exponent)) => match exponent.strip_prefix('-') {
            Some(exponent) => format!("{mantissa}e-{exponent:0>2}"),
            None => format!("{mantissa}e+{exponent:0>2}"),
        },
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_read_as_in_go() {
        for (value, expected) in [
            (json!(null), "<nil>"),
            (json!(true), "true"),
            (json!(12), "12"),
            (json!(u64::MAX), "18446744073709551615"),
            (json!(1.5), "1.5"),
            (json!(-0.0), "-0"),
            (json!(100_000_000.5), "100000000.5"),
            (json!(1e20), "100000000000000000000"),
            (json!(1.5e21), "1.5e+21"),
            (json!(0.0001), "0.0001"),
            (json!(0.000_012), "1.2e-05"),
            (json!("a b"), "a b"),
            (json!([1, "x", null]), "[1 x <nil>]"),
            (json!({"b": [1], "a": {}}), "map[a:map[] b:[1]]"),
        ] {
            assert_eq!(format(&value), expected);
        }
    }
}
