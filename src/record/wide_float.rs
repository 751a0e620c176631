//! Numbers that are written as float32 if they fit, and as float64 if only that has their range.

use serde::{Serialize, Serializer};

/// Writes the shortest decimal that reads back as the same float32, or float64 beyond the range of float32.
///
/// # Errors
/// Returns the errors of the serializer.
pub fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    let narrow = *value as f32;
    if narrow.is_finite() {
        narrow.serialize(serializer)
    } else {
        value.serialize(serializer)
    }
}
