//! The messages of serde about a value of another type, in plain words.

/// Returns a message such as `invalid type: string "x", expected u32 at line 1 column 8` as `expected a whole number
/// from 0 to 4294967295, found "x" at line 1 column 8`, and any other message as it is.
pub fn in_plain_words(message: &str) -> String {
    let kinds = ["invalid type: ", "invalid value: "];
    let rest = kinds.iter().find_map(|kind| message.strip_prefix(kind));
    let Some((found, expected)) = rest.and_then(|rest| rest.rsplit_once(", expected ")) else {
        return message.to_owned();
    };
    let (expected, place) = match expected.rfind(" at line ") {
        Some(at) => expected.split_at(at),
        None => (expected, ""),
    };
    format!(
        "expected {}, found {}{place}",
        expected_value(expected),
        found_value(found)
    )
}

fn expected_value(expected: &str) -> &str {
    match expected {
        "u32" => "a whole number from 0 to 4294967295",
        "u8" | "u16" | "u64" | "usize" => "a whole number of at least 0",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "a sequence" => "a list",
        "a map" => "an object",
        "a boolean" => "true or false",
        _ if expected.starts_with("struct ") => "an object",
        _ => expected,
    }
}

fn found_value(found: &str) -> &str {
    match found {
        "sequence" => return "a list",
        "map" => return "an object",
        "unit value" | "Option value" | "null" => return "null",
        _ => {}
    }
    let quoted = ["integer `", "floating point `", "boolean `"];
    let quoted = quoted.iter().find_map(|kind| found.strip_prefix(kind));
    let quoted = quoted.and_then(|value| value.strip_suffix('`'));
    quoted
        .or_else(|| found.strip_prefix("string "))
        .unwrap_or(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_says_which_value_was_found() {
        for (message, plain) in [
            (
                "invalid type: string \"x\", expected u32 at line 1 column 8",
                "expected a whole number from 0 to 4294967295, found \"x\" at line 1 column 8",
            ),
            (
                "invalid value: integer `-1`, expected u32",
                "expected a whole number from 0 to 4294967295, found -1",
            ),
            (
                "invalid type: floating point `1.5`, expected a sequence at line 2 column 1",
                "expected a list, found 1.5 at line 2 column 1",
            ),
            (
                "invalid type: string \", expected u32\", expected f64 at line 1 column 9",
                "expected a number, found \", expected u32\" at line 1 column 9",
            ),
            (
                "invalid type: sequence, expected struct Keys",
                "expected an object, found a list",
            ),
            (
                "invalid type: null, expected a token, or an object with its rules",
                "expected a token, or an object with its rules, found null",
            ),
            ("missing field `content`", "missing field `content`"),
        ] {
            assert_eq!(in_plain_words(message), plain);
        }
    }
}
