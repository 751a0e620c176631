//! The two engines compared, for people.

use std::io::{self, Write};

use super::renderer::Human;
use crate::record::{Difference, PackedStrings, Verify};
use crate::render::escape::cell;
use crate::render::numbers::{quantity, thousands};

/// The number of tokens shown before the first that differs.
const TOKENS_BEFORE: usize = 3;

impl Human<'_> {
    pub(super) fn difference(&mut self, record: &Difference) -> io::Result<()> {
        let style = self.output.style;
        let path = record.path.as_deref().map(|path| cell(path).into_owned());
        let line = record.line.map(|line| format!("line {line}"));
        let token = format!("token {}", record.position);
        let place: Vec<String> = [path, line, Some(token)].into_iter().flatten().collect();
        writeln!(self.out, "{}", style.head(&place.join(" ")))?;
        self.line(&format!("  text       {}", cell(&record.text)))?;
        let native = self.tokens_near(&record.native, record.position);
        let reference = self.tokens_near(&record.reference, record.position);
        self.line(&format!("  native     {native}"))?;
        self.line(&format!("  reference  {reference}"))
    }

    /// Returns the tokens of an encoding; on a terminal, those from a little before the position on.
    fn tokens_near(&self, tokens: &PackedStrings, position: usize) -> String {
        let first = match self.output.width {
            Some(_) => position.saturating_sub(TOKENS_BEFORE),
            None => 0,
        };
        let tokens: Vec<_> = tokens.iter().skip(first).map(cell).collect();
        let more = if first > 0 { "… " } else { "" };
        format!("{more}{}", tokens.join(" "))
    }

    pub(super) fn verify(&mut self, record: &Verify) -> io::Result<()> {
        let style = self.output.style;
        let verdict = match record.differences {
            0 => style.good("no differences"),
            1 => style.bad("1 text differs"),
            several => style.bad(&format!("{} texts differ", thousands(several as u64))),
        };
        let texts = quantity(record.texts as u64, "text");
        let tokens = quantity(record.tokens as u64, "token");
        self.wrapped(0, &format!("{texts}, {tokens}: {verdict}"))
    }
}
