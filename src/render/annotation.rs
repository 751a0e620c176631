//! Annotations for GitHub Actions, written as workflow commands.
//!
//! <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands>; the escapes are those of `packages/core/src/command.ts` of <https://github.com/actions/toolkit>.

use super::escape;

/// A remark in the log of a CI system. It is not a record, since programs read the records themselves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Annotation {
    /// The path, relative to the root of the repository.
    pub file: Option<String>,
    pub line: Option<u64>,
    pub title: &'static str,
    pub message: String,
}

impl Annotation {
    /// Returns the line `::error file=…,line=…,title=…::message`, including the line end.
    pub fn to_command(&self) -> String {
        let mut properties = Vec::new();
        if let Some(file) = &self.file {
            properties.push(format!("file={}", property(file)));
        }
        if let Some(line) = self.line {
            properties.push(format!("line={line}"));
        }
        properties.push(format!("title={}", property(self.title)));
        let message = message(&self.message);
        format!("::error {}::{message}\n", properties.join(","))
    }
}

/// Escapes the characters that would end the command or begin another, and makes control characters visible.
fn message(text: &str) -> String {
    let text = text
        .replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A");
    escape::safe(&text).into_owned()
}

fn property(text: &str) -> String {
    message(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_and_separators_are_escaped() {
        let annotation = Annotation {
            file: Some("a,b:c%\n::error::x.txt".to_owned()),
            line: Some(7),
            title: "Token budget",
            message: "50 % over:\r\nsee, there".to_owned(),
        };
        assert_eq!(
            annotation.to_command(),
            "::error file=a%2Cb%3Ac%25%0A%3A%3Aerror%3A%3Ax.txt,line=7,title=Token budget::50 %25 over:%0D%0Asee, there\n"
        );
    }
}
