//! The reason why a JSON file cannot be read, and its place.

use std::fmt;

use serde::de;

/// The kind of a [`JsonError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    /// The file ends within a value.
    EndsEarly,
    /// The file is not JSON.
    Syntax,
    /// The file is JSON, but its content is not as expected.
    Content,
}

/// An error with the place where it was noticed.
#[derive(Debug)]
pub struct JsonError {
    pub problem: Problem,
    pub message: String,
    /// From 1, or 0 if not known yet.
    pub line: usize,
    /// From 1, in bytes.
    pub column: usize,
}

impl JsonError {
    pub fn new(problem: Problem, message: impl Into<String>) -> Self {
        Self {
            problem,
            message: message.into(),
            line: 0,
            column: 0,
        }
    }

    /// Adds the place of byte `at`, unless the error already has a place.
    pub fn locate(mut self, bytes: &[u8], at: usize) -> Self {
        if self.line == 0 {
            let before = bytes.get(..at).unwrap_or(bytes);
            self.line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
            let line = before.rsplit(|byte| *byte == b'\n').next();
            self.column = 1 + line.map_or(0, <[u8]>::len);
        }
        self
    }
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} at line {} column {}",
            self.message, self.line, self.column
        )
    }
}

impl std::error::Error for JsonError {}

impl de::Error for JsonError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(Problem::Content, message.to_string())
    }
}
