//! The two engines compared, for people.

use std::io::{self, Write};

use super::renderer::Human;
use crate::record::{Difference, PackedStrings, Verify};
use crate::render::escape::cell;

impl Human<'_> {
    pub(super) fn difference(&mut self, record: &Difference) -> io::Result<()> {
        let style = self.output.style;
        let path = record.path.as_deref().map(|path| cell(path).into_owned());
        let line = record.line.map(|line| format!("line {line}"));
        let token = format!("token {}", record.position);
        let place: Vec<String> = [path, line, Some(token)].into_iter().flatten().collect();
        writeln!(self.out, "{}", style.head(&place.join(" ")))?;
        writeln!(self.out, "  text       {}", cell(&record.text))?;
        let tokens = |tokens: &PackedStrings| {
            let tokens: Vec<_> = tokens.iter().map(cell).collect();
            tokens.join(" ")
        };
        writeln!(self.out, "  native     {}", tokens(&record.native))?;
        writeln!(self.out, "  reference  {}", tokens(&record.reference))
    }

    pub(super) fn verify(&mut self, record: &Verify) -> io::Result<()> {
        let style = self.output.style;
        let verdict = match record.differences {
            0 => style.good("no differences"),
            1 => style.bad("1 text differs"),
            several => style.bad(&format!("{several} texts differ")),
        };
        let texts = if record.texts == 1 { "text" } else { "texts" };
        writeln!(
            self.out,
            "{} {texts}, {} tokens: {verdict}",
            record.texts, record.tokens
        )
    }
}
