//! Lines of decimal numbers, without a branch on the number of digits, which a processor cannot predict for token ids.

/// The first number with more than seven digits.
const END: u64 = 10_000_000;

/// Returns a line of numbers with spaces between them.
pub fn line_of(numbers: &[u32]) -> Vec<u8> {
    let mut line = Vec::with_capacity(8 * numbers.len() + 1);
    for number in numbers {
        push(&mut line, (*number).into());
    }
    match line.last_mut() {
        Some(last) => *last = b'\n',
        None => line.push(b'\n'),
    }
    line
}

/// Appends a number and a space.
#[inline]
fn push(line: &mut Vec<u8>, number: u64) {
    if number >= END {
        return line.extend_from_slice(format!("{number} ").as_bytes());
    }
    // Numbers side by side, each divided by a multiplication: two of 4 digits, four of 2, and eight of 1.
    let fours = (number / 10_000) | ((number % 10_000) << 32);
    let hundreds = (fours * 10_486) >> 20 & 0x0000_007f_0000_007f;
    let twos = hundreds | (fours - 100 * hundreds) << 16;
    let tens = (twos * 103) >> 10 & 0x000f_000f_000f_000f;
    let ones = tens | (twos - 10 * tens) << 8;
    // The first digit is in the lowest byte. The last digit stays even if it is 0.
    let zeros = (ones | 1 << 56).trailing_zeros() / 8;
    let count = 8 - zeros;
    let text =
        (ones | u64::from_ne_bytes([b'0'; 8])) >> (8 * zeros) | u64::from(b' ') << (8 * count);
    let end = line.len() + count as usize + 1;
    // A constant length needs no call of `memcpy`.
    line.extend_from_slice(&text.to_le_bytes());
    line.truncate(end);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_the_standard_library_writes_them() {
        let ends = (0..8).flat_map(|power| {
            let end = 10_u32.pow(power);
            [end - 1, end, end + 1]
        });
        let all = (0..=20_000).chain(ends).chain((0..10_000_000).step_by(997));
        let numbers: Vec<u32> = all.chain([u32::MAX, 0]).collect();
        let expected: Vec<String> = numbers.iter().map(u32::to_string).collect();
        assert_eq!(line_of(&numbers), (expected.join(" ") + "\n").into_bytes());
    }

    #[test]
    fn a_line_of_no_numbers_is_empty() {
        assert_eq!(line_of(&[]), b"\n");
        assert_eq!(line_of(&[0]), b"0\n");
    }
}
