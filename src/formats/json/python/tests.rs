use std::collections::BTreeMap;

use proptest::prelude::*;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::*;

fn value(json: &str) -> Result<Value, String> {
    from_slice(json.as_bytes()).map_err(|error| error.to_string())
}

/// Some fields. A file may have others.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
struct Fields {
    a: Option<f64>,
    b: Vec<String>,
    inner: Option<Box<Fields>>,
}

fn fields(json: &str) -> Fields {
    from_slice(json.as_bytes()).unwrap()
}

#[test]
fn json_is_read_as_by_serde_json() {
    for json in [
        "null",
        " true ",
        "[]",
        "{}",
        "[1, -2, 2.5, -0.0, 1e3, 1E-2, 18446744073709551615, -9223372036854775808]",
        r#"{"a": [{"b": {}}, [[]], ""], "é": "\u00e9\n\t\b\f\r\/\\\"\ud83d\ude00"}"#,
        "\r\n\t[\n1 ,\r2\t]",
    ] {
        assert_eq!(
            value(json).unwrap(),
            serde_json::from_str::<Value>(json).unwrap()
        );
    }
}

#[test]
fn nan_and_infinity_are_numbers() {
    let json =
        r#"{"time_step_limit": [0.0, Infinity], "x": {"y": [NaN, -Infinity]}, "a": Infinity}"#;
    assert_eq!(fields(json).a, Some(f64::INFINITY));
    assert!(fields(r#"{"a": NaN}"#).a.unwrap().is_nan());
    assert_eq!(fields(r#"{"a": -Infinity}"#).a, Some(f64::NEG_INFINITY));
    assert_eq!(fields(r#"{"a": 1e400}"#).a, Some(f64::INFINITY));
    assert_eq!(
        fields(&format!(r#"{{"a": {}}}"#, "9".repeat(400))).a,
        Some(f64::INFINITY)
    );
    for json in ["nan", "-NaN", "+1", "Inf", "infinity", "NaNs", "-"] {
        assert!(value(json).is_err(), "{json}");
    }
}

#[test]
fn the_last_of_two_values_with_one_name_counts() {
    let json = r#"{"a": 1, "b": ["x"], "inner": {"a": 3}, "\u0061": 2, "inner": {"a": 4, "a": 5}}"#;
    let read = fields(json);
    assert_eq!((read.a, read.inner.unwrap().a), (Some(2.0), Some(5.0)));
    assert_eq!(read.b, ["x"]);
    assert_eq!(
        value(r#"{"a": 1, "b": 2, "a": 3}"#).unwrap().to_string(),
        r#"{"a":3,"b":2}"#
    );
    let map: BTreeMap<u32, u8> = from_slice(br#"{"7": 1, "7": 2}"#).unwrap();
    assert_eq!(map, BTreeMap::from([(7, 2)]));
}

#[test]
fn half_of_a_surrogate_pair_is_no_text_but_may_be_skipped() {
    let json = r#"{"x": "\ud800", "\udfff": [], "a": 1}"#;
    assert_eq!(fields(json).a, Some(1.0));
    let error = from_slice::<Fields>(br#"{"b": ["\ud800x"]}"#).unwrap_err();
    assert_eq!(
        error.to_string(),
        "a string has `\\ud800`, which is half of a surrogate pair at line 1 column 17"
    );
    let error = from_slice::<BTreeMap<String, u8>>(br#"{"\udc00\ud800": 1}"#);
    assert!(error.unwrap_err().message.contains("`\\udc00`"));
}

#[test]
fn other_text_is_refused_with_its_place() {
    for (json, problem, sentence) in [
        ("", Problem::EndsEarly, "expected value at line 1 column 1"),
        (
            "{\"a\": 1,\n",
            Problem::EndsEarly,
            "expected a name in quotes at line 2 column 1",
        ),
        (
            "{\"a\": 1\n",
            Problem::EndsEarly,
            "expected `,` or the end of a list or object at line 2 column 1",
        ),
        (
            "garbage",
            Problem::Syntax,
            "expected value at line 1 column 1",
        ),
        (
            "{\"a\": 1} x",
            Problem::Syntax,
            "expected the end of the file at line 1 column 10",
        ),
        (
            "{\"a\" 1}",
            Problem::Syntax,
            "expected `:` at line 1 column 6",
        ),
        (
            "{\"x\": \"a\nb\"}",
            Problem::Syntax,
            "a control character in a string at line 1 column 9",
        ),
        (
            "{\"x\": \"\\x\"}",
            Problem::Syntax,
            "expected an escape at line 1 column 9",
        ),
        (
            "{\"x\": \"\\u12g\"}",
            Problem::Syntax,
            "expected four hexadecimal digits at line 1 column 12",
        ),
        (
            "{\"a\": 01}",
            Problem::Syntax,
            "expected `,` or the end of a list or object at line 1 column 8",
        ),
        (
            "{\"a\": 1.}",
            Problem::Syntax,
            "expected `,` or the end of a list or object at line 1 column 8",
        ),
        (
            "{\"x\": [1,]}",
            Problem::Syntax,
            "expected value at line 1 column 10",
        ),
        (
            "{\"b\": 3}",
            Problem::Content,
            "invalid type: integer `3`, expected a sequence at line 1 column 8",
        ),
        (
            "\u{feff}{}",
            Problem::Syntax,
            "expected value at line 1 column 1",
        ),
    ] {
        let error = from_slice::<Fields>(json.as_bytes()).unwrap_err();
        assert_eq!(
            (error.problem, error.to_string().as_str()),
            (problem, sentence),
            "{json}"
        );
    }
    let error = from_slice::<Fields>(b"{}\n\xff").unwrap_err();
    assert_eq!(
        error.to_string(),
        "a byte that is not UTF-8 at line 2 column 1"
    );
}

#[test]
fn nesting_and_sizes_are_limited() {
    let lists = |depth: usize| format!("{{\"x\": {}{}}}", "[".repeat(depth), "]".repeat(depth));
    assert_eq!(fields(&lists(512)), Fields::default());
    for depth in [514, 1_000_000] {
        let error = from_slice::<Fields>(lists(depth).as_bytes()).unwrap_err();
        assert!(error.message.contains("512 nested lists"), "{error}");
    }
    let inner = format!("{}{}", r#"{"inner": "#.repeat(300), "}".repeat(300));
    assert!(from_slice::<Fields>(inner.as_bytes()).is_err());
    assert!(value(&format!("{}{}", "[".repeat(17), "]".repeat(17))).is_err());
    let digits = "9".repeat(4301);
    assert!(
        value(&digits)
            .unwrap_err()
            .contains("more than 4300 digits")
    );
    let names: Vec<String> = (0..=65_536).map(|name| format!("\"{name}\":1")).collect();
    let object = format!("{{{}}}", names.join(","));
    assert!(
        value(&object)
            .unwrap_err()
            .contains("more than 65536 names")
    );
    assert_eq!(fields(&object), Fields::default());
}

proptest! {
    #[test]
    fn arbitrary_text_is_skipped_exactly_when_it_is_read(
        parts in prop::collection::vec(
            prop::sample::select(vec![
                "{", "}", "[", "]", ",", ":", "\"a\"", "\"\\u0041\"", " ", "1", "-1.5e3", "null", "NaN", "\"", "\\", "x",
            ]),
            0..12,
        )
    ) {
        let json = parts.concat();
        let skipped = from_slice::<IgnoredAny>(json.as_bytes()).is_ok();
        prop_assert_eq!(skipped, value(&json).is_ok());
        if !json.contains("NaN") {
            prop_assert_eq!(skipped, serde_json::from_str::<IgnoredAny>(&json).is_ok());
        }
    }
}

/// Another set of fields.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
struct OtherFields {
    a: Option<f64>,
    c: Vec<u8>,
}

#[test]
fn three_structs_are_read_from_one_object_as_one_by_one() {
    let many: String = (0..5000)
        .map(|number| format!("\"{number}\": 0,"))
        .collect();
    for json in [
        r#" {"c": [1], "inner": {"a": 2, "b": ["x"]}, "a": 0, "\u0061": 1, "b": ["y"], "d": {}} "#
            .to_owned(),
        format!(r#"{{"a": 1, {many} "c": [2], "a": 3}}"#),
        "{}".to_owned(),
        r#"{"c": [1], "c": 300}"#.to_owned(),
        r#"{"b": 1, "c": [300]}"#.to_owned(),
        r#"{"inner": {"a": 1, "a": {}}, "a": 1}"#.to_owned(),
        r#"{"a": 1} 2"#.to_owned(),
        r#"{"a": 1"#.to_owned(),
        "[1]".to_owned(),
    ] {
        let bytes = json.as_bytes();
        let together = three_from_slice::<Fields, OtherFields, Fields>(bytes);
        let apart = from_slice(bytes).and_then(|first| {
            let second: OtherFields = from_slice(bytes)?;
            Ok((first, second, from_slice(bytes)?))
        });
        let described = |error: JsonError| error.to_string();
        assert_eq!(
            together.map_err(described),
            apart.map_err(described),
            "{json:.80}"
        );
    }
}
