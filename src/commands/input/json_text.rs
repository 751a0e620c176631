//! Reads the text in a line of JSON Lines: a JSON string, or an object with the text in a field.

use serde_json::{Map, Value};

use crate::error::closest;
use crate::error::shell_word;

/// The maximum number of fields to name in a sentence.
const NAMED_FIELDS: usize = 8;
/// The maximum number of characters of a field's name in a sentence.
const NAME_CHARS: usize = 40;

/// Remedies that several sentences have.
const NAME_FIELD: &str = "name the field of the text with `--field NAME`";
const PLAIN_TEXT: &str = "for plain text, use `--lines`";

/// Why a line has no text: the end of a sentence, and a remedy.
#[derive(Debug, PartialEq, Eq)]
pub struct NoText {
    pub problem: String,
    pub hint: Option<String>,
}

/// Returns the text in a line of JSON. In a field's name, dots lead into objects, unless there is a field with the dots
/// in its name.
///
/// # Errors
/// Fails with the reason if the line is not JSON, or has no string in the field.
pub fn json_text(json: &str, field: &str) -> Result<String, NoText> {
    let value: Value = serde_json::from_str(json).map_err(|error| not_json(json, &error))?;
    let mut fields = match value {
        Value::String(text) => return Ok(text),
        Value::Object(fields) => fields,
        Value::Array(_) => return Err(array()),
        other => {
            return Err(NoText {
                problem: format!("{}, neither an object nor a string", kind(&other)),
                hint: Some(PLAIN_TEXT.to_owned()),
            });
        }
    };
    if let Some(Value::String(text)) = fields.get_mut(field) {
        return Ok(std::mem::take(text));
    }
    match find(&fields, field) {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(other) => Err(not_a_string(&fields, field, other)),
        None => Err(no_field(&fields, field)),
    }
}

/// Returns the value of a field.
fn find<'v>(fields: &'v Map<String, Value>, field: &str) -> Option<&'v Value> {
    fields.get(field).or_else(|| {
        field.match_indices('.').find_map(|(dot, _)| {
            let inner = fields.get(&field[..dot])?.as_object()?;
            find(inner, &field[dot + 1..])
        })
    })
}

fn not_json(json: &str, error: &serde_json::Error) -> NoText {
    match json.trim_start().as_bytes() {
        [b'[', ..] => array(),
        [b'{', ..] if error.is_eof() => NoText {
            problem: "an object that does not end on its line".to_owned(),
            hint: Some("put each object on one line, for example with `jq -c .`".to_owned()),
        },
        _ => NoText {
            // Each line is parsed by itself, so its number is always 1.
            problem: format!("not JSON: {error}").replace(" at line 1 column", " at column"),
            hint: Some(PLAIN_TEXT.to_owned()),
        },
    }
}

fn array() -> NoText {
    NoText {
        problem: "a JSON array, not an object or a string".to_owned(),
        hint: Some("make a line of each element, for example with `jq -c '.[]'`".to_owned()),
    }
}

fn not_a_string(fields: &Map<String, Value>, field: &str, value: &Value) -> NoText {
    let example = |name: &str| shell_word(&shown(name)).into_owned();
    let inner = value.as_object().and_then(|fields| fields.keys().next());
    let known = known_fields(fields, field);
    let string = known
        .iter()
        .find(|name| find(fields, name).is_some_and(Value::is_string));
    NoText {
        problem: format!("field `{field}` must be a string, not {}", kind(value)),
        hint: Some(match (inner, string) {
            (Some(inner), _) => format!(
                "name a field of it, such as `--field {}`",
                example(&format!("{field}.{inner}"))
            ),
            (None, Some(string)) => format!(
                "name a field that is a string, such as `--field {}`",
                example(string)
            ),
            (None, None) => NAME_FIELD.to_owned(),
        }),
    }
}

fn no_field(fields: &Map<String, Value>, field: &str) -> NoText {
    let known = known_fields(fields, field);
    let listed: Vec<String> = known
        .iter()
        .take(NAMED_FIELDS)
        .map(|name| shown(name))
        .collect();
    let listed = listed
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>();
    let more = match known.len().saturating_sub(NAMED_FIELDS) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let others = match known.len() {
        0 => "nor any other".to_owned(),
        _ => format!("only {}{more}", listed.join(", ")),
    };
    NoText {
        problem: format!("there is no field `{field}`, {others}"),
        hint: match closest(field, known.iter().map(String::as_str)) {
            Some(near) => Some(format!(
                "did you mean `--field {}`?",
                shell_word(&shown(near))
            )),
            None => Some(NAME_FIELD.to_owned()),
        },
    }
}

/// Returns the names of the fields, or of the fields of the innermost object that `field` leads to.
fn known_fields(fields: &Map<String, Value>, field: &str) -> Vec<String> {
    for (dot, _) in field.match_indices('.') {
        let name = &field[..dot];
        if let Some(inner) = fields.get(name).and_then(Value::as_object) {
            let inner = known_fields(inner, &field[dot + 1..]);
            return inner
                .iter()
                .map(|field| format!("{name}.{field}"))
                .collect();
        }
    }
    fields.keys().cloned().collect()
}

/// Shortens a name.
fn shown(name: &str) -> String {
    match name.char_indices().nth(NAME_CHARS) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.to_owned(),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(json: &str, field: &str) -> String {
        json_text(json, field).unwrap_err().problem
    }

    fn hint(json: &str, field: &str) -> Option<String> {
        json_text(json, field).unwrap_err().hint
    }

    #[test]
    fn dots_lead_into_objects_and_a_name_with_dots_wins() {
        let text = |json, field| json_text(json, field).unwrap();
        assert_eq!(text(r#"{"meta":{"text":"in"}}"#, "meta.text"), "in");
        let both = r#"{"meta":{"text":"in"},"meta.text":"name"}"#;
        assert_eq!(text(both, "meta.text"), "name");
        assert_eq!(text(r#"{"a.b":{"c":"x"},"a":{}}"#, "a.b.c"), "x");
        assert_eq!(text(r#"{"a":{"b.c":"y"}}"#, "a.b.c"), "y");
        assert_eq!(text(r#"{"":{"":"empty"}}"#, "."), "empty");
        assert_eq!(text(r#""a string""#, "meta.text"), "a string");
    }

    #[test]
    fn a_missing_field_is_answered_with_the_fields_there_are() {
        let json = r#"{"id":1,"text":"a","meta":{"lang":"es","body":"b"}}"#;
        assert_eq!(
            problem(json, "txt"),
            "there is no field `txt`, only `id`, `text`, `meta`"
        );
        assert_eq!(
            hint(json, "txt").as_deref(),
            Some("did you mean `--field text`?")
        );
        assert_eq!(
            problem(json, "meta.bdy"),
            "there is no field `meta.bdy`, only `meta.lang`, `meta.body`"
        );
        assert_eq!(
            hint(json, "meta.bdy").as_deref(),
            Some("did you mean `--field meta.body`?")
        );
        assert_eq!(
            problem("{}", "text"),
            "there is no field `text`, nor any other"
        );
        let many: Vec<String> = (0..500)
            .map(|n| format!("\"{}{n}\":1", "x".repeat(90)))
            .collect();
        let sentence = problem(&format!("{{{}}}", many.join(",")), "text");
        assert!(sentence.ends_with("… and 492 more") || sentence.ends_with("…` and 492 more"));
        assert!(sentence.len() < 500, "{sentence}");
    }

    #[test]
    fn a_value_that_is_no_string_is_named_by_its_type() {
        for (value, kind) in [
            ("null", "null"),
            ("true", "a boolean"),
            ("1.5", "a number"),
            ("[\"a\"]", "an array"),
            ("{\"x\":1}", "an object"),
        ] {
            let json = format!("{{\"text\":{value}}}");
            let expected = format!("field `text` must be a string, not {kind}");
            assert_eq!(problem(&json, "text"), expected);
        }
    }

    #[test]
    fn a_value_without_fields_is_answered_with_a_field_that_is_a_string() {
        let strings = "name a field that is a string, such as `--field";
        for (json, field, remedy) in [
            (
                r#"{"text":{"body":"a"},"b":"x"}"#,
                "text",
                "name a field of it, such as `--field text.body`",
            ),
            (
                r#"{"n":1,"id":2,"title":"x"}"#,
                "n",
                &format!("{strings} title`"),
            ),
            (
                r#"{"title":"x","meta":{"n":[],"body text":"x"}}"#,
                "meta.n",
                &format!("{strings} 'meta.body text'`"),
            ),
            (r#"{"n":null}"#, "n", NAME_FIELD),
            (r#"{"n":{}}"#, "n", NAME_FIELD),
            ("7", "text", PLAIN_TEXT),
        ] {
            assert_eq!(hint(json, field).as_deref(), Some(remedy), "{json}");
        }
    }

    #[test]
    fn an_array_is_named_and_so_is_an_object_of_several_lines() {
        for json in ["[{\"text\":\"a\"}]", "[", " [{\"text\":\"a\"},"] {
            assert_eq!(
                problem(json, "text"),
                "a JSON array, not an object or a string"
            );
            assert!(hint(json, "text").unwrap().contains("jq -c '.[]'"));
        }
        assert_eq!(
            problem("{", "text"),
            "an object that does not end on its line"
        );
        assert_eq!(
            problem("no", "text"),
            "not JSON: expected ident at column 2"
        );
        assert_eq!(
            problem("7", "text"),
            "a number, neither an object nor a string"
        );
    }
}
