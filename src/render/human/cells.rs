//! The text of table cells.

use unicode_width::UnicodeWidthStr;

/// Formats a number with five significant digits, as torch prints tensors of mixed values.
pub(super) fn number(value: impl Into<f64>) -> String {
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

/// Formats a number with commas between groups of three digits.
pub(super) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Formats inclusive ranges: `0, 2001..2063`.
pub(super) fn ranges(ranges: &[(u64, u64)]) -> String {
    let ranges = ranges.iter().map(|(first, last)| {
        if first == last {
            first.to_string()
        } else {
            format!("{first}..{last}")
        }
    });
    ranges.collect::<Vec<_>>().join(", ")
}

/// Pads a cell with spaces to a display width.
pub(super) fn pad(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.width())))
}
