//! Numbers for people, in one style: commas between thousands, units of 1000, a space before a unit or a percent sign.

use std::time::Duration;

/// Formats a number with commas between groups of three digits.
pub fn thousands(number: u64) -> String {
    grouped(&number.to_string())
}

/// Formats a number with a fixed number of decimals, and with commas between thousands.
pub fn decimals(number: f64, decimals: usize) -> String {
    let text = format!("{number:.decimals$}");
    match text.split_once('.') {
        Some((whole, fraction)) => format!("{}.{fraction}", grouped(whole)),
        None => grouped(&text),
    }
}

fn grouped(digits: &str) -> String {
    let (sign, digits) = match digits.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", digits),
    };
    let mut text = sign.to_owned();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Formats a number of things: `1 file`, `2,000 files`.
pub fn quantity(number: u64, unit: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {unit}{plural}", thousands(number))
}

/// Formats a fraction as a percentage with one decimal.
pub fn percent(fraction: f64) -> String {
    format!("{} %", decimals(fraction * 100.0, 1))
}

/// Formats a number with five significant digits, as torch prints tensors of mixed values.
pub fn number(value: impl Into<f64>) -> String {
    let value: f64 = value.into();
    if value == 0.0 || !value.is_finite() {
        return value.to_string();
    }
    let exponent = value.abs().log10().floor() as i32;
    if (-5..6).contains(&exponent) {
        let decimals = (4 - exponent).max(0) as usize;
        let text = format!("{value:.decimals$}");
        if text.contains('.') {
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        } else {
            text
        }
    } else {
        format!("{value:.4e}")
    }
}

/// Formats a size with three significant digits: `512 B`, `38.2 MB`.
pub fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let (mut value, mut unit) = (bytes as f64 / 1000.0, 0);
    // A value that would be rounded to 1000 belongs to the next unit.
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    let decimals = match value {
        value if value < 9.995 => 2,
        value if value < 99.95 => 1,
        _ => 0,
    };
    format!("{value:.decimals$} {}", UNITS[unit])
}

/// Formats a duration in whole units: `26 s`, `3 min 5 s`, `2 h 5 min`.
pub fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{} h {minutes} min", thousands(hours)),
    }
}

/// Formats inclusive ranges of ids: `0, 2001..2063`.
pub fn ranges(ranges: &[(u64, u64)]) -> String {
    let ranges = ranges.iter().map(|(first, last)| {
        if first == last {
            first.to_string()
        } else {
            format!("{first}..{last}")
        }
    });
    ranges.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_separated_by_commas() {
        let shown = [0, 999, 1_000, 1_234_567].map(thousands);
        assert_eq!(shown, ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(decimals(1017.54, 1), "1,017.5");
        assert_eq!(decimals(-1234.0, 0), "-1,234");
        assert_eq!(decimals(-123.4, 1), "-123.4");
        let shown = [0, 1, 2, 1_000].map(|number| quantity(number, "file"));
        assert_eq!(shown, ["0 files", "1 file", "2 files", "1,000 files"]);
        assert_eq!(percent(0.5), "50.0 %");
        assert_eq!(percent(12.345), "1,234.5 %");
    }

    #[test]
    fn sizes_have_three_digits_and_units_of_a_thousand() {
        for (size, shown) in [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1.00 kB"),
            (9_994, "9.99 kB"),
            (9_995, "10.0 kB"),
            (38_240_000, "38.2 MB"),
            (999_499, "999 kB"),
            (999_500, "1.00 MB"),
            (1_073_741_824, "1.07 GB"),
            (u64::MAX, "18.4 EB"),
        ] {
            assert_eq!(bytes(size), shown);
        }
    }

    #[test]
    fn durations_are_in_two_units() {
        let shown = |seconds| duration(Duration::from_secs(seconds));
        assert_eq!(shown(26), "26 s");
        assert_eq!(shown(185), "3 min 5 s");
        assert_eq!(shown(7_500), "2 h 5 min");
        assert_eq!(duration(Duration::from_millis(900)), "0 s");
    }
}
