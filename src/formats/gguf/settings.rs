//! The entries of the metadata that describe the model.

use super::header::Gguf;
use super::value::Value;
use crate::error::Result;
use crate::source::ByteSource;

/// The most bytes of a text that is read as a setting.
const MAX_SETTING: u64 = 1 << 16;

/// The names of quantizations by `general.file_type`: `llama_ftype` in `llama.h` of llama.cpp.
const QUANTIZATIONS: &[(u64, &str)] = &[
    (0, "F32"),
    (1, "F16"),
    (2, "Q4_0"),
    (3, "Q4_1"),
    (7, "Q8_0"),
    (8, "Q5_0"),
    (9, "Q5_1"),
    (10, "Q2_K"),
    (11, "Q3_K_S"),
    (12, "Q3_K_M"),
    (13, "Q3_K_L"),
    (14, "Q4_K_S"),
    (15, "Q4_K_M"),
    (16, "Q5_K_S"),
    (17, "Q5_K_M"),
    (18, "Q6_K"),
    (19, "IQ2_XXS"),
    (20, "IQ2_XS"),
    (21, "Q2_K_S"),
    (22, "IQ3_XS"),
    (23, "IQ3_XXS"),
    (24, "IQ1_S"),
    (25, "IQ4_NL"),
    (26, "IQ3_S"),
    (27, "IQ3_M"),
    (28, "IQ2_S"),
    (29, "IQ2_M"),
    (30, "IQ4_XS"),
    (31, "IQ1_M"),
    (32, "BF16"),
    (36, "TQ1_0"),
    (37, "TQ2_0"),
    (38, "MXFP4_MOE"),
    (39, "NVFP4"),
    (40, "Q1_0"),
];

impl Gguf {
    /// Returns a number that is not negative; `None` if the metadata has no such entry.
    pub fn size(&self, name: &str) -> Option<u64> {
        match self.value(name)? {
            Value::Unsigned(size) => Some(*size),
            Value::Signed(size) => u64::try_from(*size).ok(),
            _ => None,
        }
    }

    /// Returns the number of elements of an array; `None` if the metadata has no such entry.
    pub fn array_length(&self, name: &str) -> Option<u64> {
        match self.value(name)? {
            Value::Array(array) => Some(array.length),
            _ => None,
        }
    }

    /// Reads a text from `file`, the file with this header; `None` if the metadata has no such entry, or it is too long
    /// for a setting or not UTF-8.
    ///
    /// # Errors
    /// Returns the error of reading the file.
    pub fn text(&self, file: &dyn ByteSource, name: &str) -> Result<Option<String>> {
        match self.value(name) {
            Some(Value::Text(range)) if range.end - range.start <= MAX_SETTING => {
                Ok(String::from_utf8(file.read(range.clone())?.into_owned()).ok())
            }
            _ => Ok(None),
        }
    }

    /// Returns the name of the model's quantization, which most of its matrices have; `None` if it is not known.
    pub fn quantization(&self) -> Option<&'static str> {
        let number = self.size("general.file_type")?;
        let found = QUANTIZATIONS.iter().find(|(other, _)| *other == number);
        found.map(|(_, name)| *name)
    }
}
