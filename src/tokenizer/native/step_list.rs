//! The steps of a `tokenizer.json`: a single step, a sequence of them, or null.

use serde_json::Value;

/// Returns the steps in order, those of nested sequences included. Null stands for no steps. `list` is the name of the
/// field with the steps of a sequence.
///
/// Returns `None` for a sequence with other fields, and for a value in it that is no step.
pub fn steps_of<'a>(step: &'a Value, list: &str) -> Option<Vec<&'a Value>> {
    let mut steps = Vec::new();
    if !step.is_null() {
        flatten(step, list, &mut steps)?;
    }
    Some(steps)
}

fn flatten<'a>(step: &'a Value, list: &str, steps: &mut Vec<&'a Value>) -> Option<()> {
    match name(step) {
        "" => None,
        "Sequence" => {
            has_only(step, &[list]).then_some(())?;
            let nested = step.get(list)?.as_array()?;
            nested
                .iter()
                .try_for_each(|step| flatten(step, list, steps))
        }
        _ => {
            steps.push(step);
            Some(())
        }
    }
}

/// Returns the name of a step, or an empty string for a value that is no step.
pub fn name(step: &Value) -> &str {
    step.get("type").and_then(Value::as_str).unwrap_or_default()
}

/// Returns true if a step has no fields besides its type and these.
pub fn has_only(step: &Value, fields: &[&str]) -> bool {
    let known = |name: &String| name == "type" || fields.contains(&name.as_str());
    step.as_object().is_some_and(|step| step.keys().all(known))
}
