//! Reads JSON as Python's `json` module does, which the reference uses for every file but `tokenizer.json`.
//!
//! Python also reads `NaN`, `Infinity` and `-Infinity`, numbers of any size, and strings with half of a surrogate pair.
//! If a name occurs twice in an object, the last value counts. Values that nobody asks for are checked, but take no
//! memory.

mod deserializer;
mod error;
mod map_key;
mod objects;
mod scanner;
#[cfg(test)]
mod tests;

use serde::Deserialize;

use deserializer::PythonJson;
pub use error::{JsonError, Problem};

/// Reads one value, which must be all of `bytes`.
///
/// # Errors
/// Fails if `bytes` is not JSON as Python reads it, or does not hold a `T`.
pub fn from_slice<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<T, JsonError> {
    read(bytes, PythonJson::whole)
}

/// Reads three structs from the fields of one object, which must be all of `bytes`, and is scanned once.
///
/// # Errors
/// Fails like [`from_slice`].
pub fn three_from_slice<'de, A, B, C>(bytes: &'de [u8]) -> Result<(A, B, C), JsonError>
where
    A: Deserialize<'de>,
    B: Deserialize<'de>,
    C: Deserialize<'de>,
{
    read(bytes, |json| {
        Ok((json.whole()?, json.whole()?, json.whole()?))
    })
}

fn read<'de, T>(
    bytes: &'de [u8],
    read: impl FnOnce(&mut PythonJson<'de>) -> Result<T, JsonError>,
) -> Result<T, JsonError> {
    let text = str::from_utf8(bytes).map_err(|error| {
        JsonError::new(Problem::Syntax, "a byte that is not UTF-8")
            .locate(bytes, error.valid_up_to())
    })?;
    let mut json = PythonJson::new(text);
    read(&mut json).map_err(|error| error.locate(bytes, json.scanner.at))
}
