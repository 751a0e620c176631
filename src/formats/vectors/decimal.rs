//! Decimal numbers as float32.

/// The powers of ten that float64 represents exactly.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];
/// The largest integer below which float64 represents all.
const MAX_EXACT: u64 = 1 << 53;

/// Returns the number as NumPy reads it: rounded to float64, and then to float32. Returns `None` if it is not a number.
pub fn parse(bytes: &[u8]) -> Option<f32> {
    if let Some(value) = parse_short(bytes) {
        return Some(value as f32);
    }
    let text = std::str::from_utf8(bytes).ok()?;
    text.parse::<f64>().ok().map(|value| value as f32)
}

/// Returns the number if it has at most 19 digits, and no exponent: then one division rounds it correctly.
fn parse_short(bytes: &[u8]) -> Option<f64> {
    let (negative, digits) = match bytes.split_first()? {
        (b'-', rest) => (true, rest),
        _ => (false, bytes),
    };
    let mut mantissa = 0_u64;
    let mut point = None;
    if digits.len() > 20 {
        return None;
    }
    for (position, byte) in digits.iter().enumerate() {
        match byte {
            b'0'..=b'9' => {
                mantissa = mantissa
                    .checked_mul(10)?
                    .checked_add(u64::from(byte - b'0'))?;
            }
            b'.' if point.is_none() => point = Some(position),
            _ => return None,
        }
    }
    let count = digits.len() - usize::from(point.is_some());
    if count == 0 || mantissa > MAX_EXACT {
        return None;
    }
    let decimals = point.map_or(0, |point| digits.len() - point - 1);
    let value = mantissa as f64 / POWERS.get(decimals)?;
    Some(if negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_numbers_are_those_of_the_standard_library() {
        let mut state = 1_u64;
        let mut next = |below: u64| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 33) % below
        };
        for _ in 0..200_000 {
            let digits = next(19) as usize + 1;
            let mut text: String = (0..digits)
                .map(|_| char::from(b'0' + next(10) as u8))
                .collect();
            if next(4) > 0 {
                text.insert(next(digits as u64 + 1) as usize, '.');
            }
            if next(2) == 0 {
                text.insert(0, '-');
            }
            let expected = text.parse::<f64>().unwrap() as f32;
            assert_eq!(
                parse(text.as_bytes()).map(f32::to_bits),
                Some(expected.to_bits()),
                "{text}"
            );
        }
    }

    #[test]
    fn numbers_are_rounded_twice_as_numpy_rounds_them() {
        // Just above the middle of two float32 values, and in float64 the middle itself.
        let text = "1.00000005960464477539062500000001";
        assert_eq!(text.parse::<f32>().unwrap(), 1.000_000_1);
        assert_eq!(parse(text.as_bytes()), Some(1.0));
        for (text, value) in [
            ("-0", -0.0),
            ("+7", 7.0),
            (".5", 0.5),
            ("5.", 5.0),
            ("1e-46", 0.0),
            ("-1.5E+2", -150.0),
        ] {
            assert_eq!(
                parse(text.as_bytes()).map(f32::to_bits),
                Some(f32::to_bits(value)),
                "{text}"
            );
        }
        assert_eq!(parse(b"1e39"), Some(f32::INFINITY));
        assert!(parse(b"nan").unwrap().is_nan());
        for text in [
            "", "-", ".", "-.", "1e", "1_0", "0x1", "1 ", "--1", "1.2.3", "\u{661}",
        ] {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
    }
}
