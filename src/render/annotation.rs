//! Remarks for the log of GitHub's CI, as its workflow commands have them.
//!
//! <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands>; what is escaped, and how, is
//! in `packages/core/src/command.ts` of <https://github.com/actions/toolkit>.

use std::io::{self, Write};

use super::escape;
use crate::record::Annotation;

/// Writes `::error file=…,line=…,title=…::message`.
pub fn write(out: &mut dyn Write, annotation: &Annotation) -> io::Result<()> {
    let mut properties = Vec::new();
    if let Some(file) = &annotation.file {
        properties.push(format!("file={}", property(file)));
    }
    if let Some(line) = annotation.line {
        properties.push(format!("line={line}"));
    }
    properties.push(format!("title={}", property(annotation.title)));
    let message = message(&annotation.message);
    writeln!(out, "::error {}::{message}", properties.join(","))
}

/// What would end the command is spelled by its code, and so is what would begin one; what would steer a terminal that
/// shows the log is made visible.
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
    fn what_would_end_a_command_is_escaped() {
        let mut out = Vec::new();
        let annotation = Annotation {
            file: Some("a,b:c%\n::error::x.txt".to_owned()),
            line: Some(7),
            title: "Token budget",
            message: "50 % over:\r\nsee, there".to_owned(),
        };
        write(&mut out, &annotation).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "::error file=a%2Cb%3Ac%25%0A%3A%3Aerror%3A%3Ax.txt,line=7,title=Token budget::50 %25 over:%0D%0Asee, there\n"
        );
    }
}
