//! Writes JSON whose numbers are still the same when the `tokenizers` crate reads them.
//!
//! The crate reads decimals fast, and some of them wrong in the last bit. Two ways to split a word may differ by less.
//! For one number in a few hundred, no decimal is read as this number.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{Formatter, PrettyFormatter, Serializer};

/// Serializes a value with indentation.
///
/// # Errors
/// Fails if the value cannot be serialized.
pub fn to_vec<T: Serialize>(value: &T) -> serde_json::Result<Vec<u8>> {
    let mut json = Vec::new();
    let formatter = Exact(PrettyFormatter::new());
    value.serialize(&mut Serializer::with_formatter(&mut json, formatter))?;
    Ok(json)
}

/// Returns a decimal that is read as `number`, or the shortest one if none is found.
fn decimal(number: f64) -> String {
    let is_read = |decimal: &String| serde_json::from_str::<f64>(decimal).ok() == Some(number);
    let shortest = serde_json::Number::from_f64(number).map_or_else(String::new, |n| n.to_string());
    if is_read(&shortest) {
        return shortest;
    }
    let near = [15, 16, 17, 18]
        .into_iter()
        .filter_map(|digits| neighbors(number, digits));
    near.flatten().find(is_read).unwrap_or(shortest)
}

/// Returns decimals with this many digits after the point, the nearest first. All digits together fit into 64 bits.
fn neighbors(number: f64, digits: usize) -> Option<impl Iterator<Item = String>> {
    let decimal = format!("{number:.digits$e}");
    let (significand, exponent) = decimal.split_once('e')?;
    let significand: i64 = significand.replace('.', "").parse().ok()?;
    let exponent = exponent.parse::<i64>().ok()? - i64::try_from(digits).ok()?;
    let steps = (0..600).flat_map(|step| [step, -step]);
    Some(steps.map(move |step| format!("{}e{exponent}", significand.saturating_add(step))))
}

/// Indents like serde_json, with other decimals.
struct Exact(PrettyFormatter<'static>);

impl Formatter for Exact {
    fn write_f64<W: ?Sized + Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        writer.write_all(decimal(value).as_bytes())
    }

    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_array(writer)
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array(writer)
    }

    fn begin_array_value<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.0.begin_array_value(writer, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array_value(writer)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object(writer)
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object(writer)
    }

    fn begin_object_key<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.0.begin_object_key(writer, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object_value(writer)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object_value(writer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearly_all_numbers_are_read_as_they_were_written() {
        let scores: Vec<f64> = (0..20_000)
            .map(|step| f64::from(-2.0 - step as f32 * 0.000_713))
            .collect();
        let lost = |json: &[u8]| {
            let read: Vec<f64> = serde_json::from_slice(json).unwrap();
            scores.iter().zip(&read).filter(|(a, b)| a != b).count()
        };
        let shortest = lost(&serde_json::to_vec(&scores).unwrap());
        let exact = lost(&to_vec(&scores).unwrap());
        assert!(
            exact * 10 < shortest && exact < 100,
            "{exact} of {shortest} are lost"
        );
    }

    #[test]
    fn all_else_is_written_as_by_serde_json() {
        let value =
            serde_json::json!({"a": [1, -2.5, 1e300, [], {}], "b": null, "c": {"d": "\u{e9}\n"}});
        let pretty = serde_json::to_vec_pretty(&value).unwrap();
        assert_eq!(to_vec(&value).unwrap(), pretty);
    }
}
