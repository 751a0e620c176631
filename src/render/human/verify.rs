//! The two engines, and two readings, compared, for people.

use std::io::{self, Write};

use super::renderer::Human;
use crate::record::{Against, Difference, Divergence, Offset, PackedStrings, Verify};
use crate::render::escape::cell;
use crate::render::numbers::{quantity, thousands};

/// The number of tokens shown before the first that differs.
const TOKENS_BEFORE: usize = 3;
/// The number of tokens shown from the first that differs on, where two readings are compared.
const TOKENS_AFTER: usize = 12;

impl Human<'_> {
    pub(super) fn difference(&mut self, record: &Difference) -> io::Result<()> {
        let style = self.output.style;
        let place = place(record.path.as_deref(), record.line, record.position);
        writeln!(self.out, "{}", style.head(&place))?;
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

    pub(super) fn divergence(&mut self, record: &Divergence) -> io::Result<()> {
        let style = self.output.style;
        let place = place(record.path.as_deref(), record.line, record.position);
        let causes = record.causes.join(", ");
        writeln!(self.out, "{}  {causes}", style.head(&place))?;
        let width = record.reading.len().max(record.against.len());
        let (tokens, [start, end]) =
            tokens_around(&record.tokens, &record.offsets, record.position);
        let (against, [other_start, other_end]) = tokens_around(
            &record.against_tokens,
            &record.against_offsets,
            record.position,
        );
        let text = around(&record.text, start.min(other_start), end.max(other_end));
        self.line(&format!("  {:width$}  {}", "text", cell(&text)))?;
        self.line(&format!("  {:width$}  {tokens}", record.reading))?;
        self.line(&format!("  {:width$}  {against}", record.against))
    }

    pub(super) fn against(&mut self, record: &Against) -> io::Result<()> {
        let style = self.output.style;
        let verdict = match record.differences {
            0 => style.good("no differences"),
            1 => style.bad("1 text differs"),
            several => style.bad(&format!("{} texts differ", thousands(several as u64))),
        };
        let texts = quantity(record.texts as u64, "text");
        let special = if record.without_special_tokens {
            " without special tokens"
        } else {
            ""
        };
        let [tokens, against] =
            [record.tokens, record.against_tokens].map(|tokens| quantity(tokens as u64, "token"));
        let sum = format!(
            "{texts}, {tokens} in {}, {against} in {}{special}: {verdict}",
            record.reading, record.against
        );
        self.wrapped(0, &sum)?;
        let mut causes: Vec<_> = record.causes.iter().collect();
        causes.sort_by_key(|(_, texts)| std::cmp::Reverse(**texts));
        for (cause, texts) in causes {
            self.line(&format!("{:>8}  {cause}", thousands(*texts as u64)))?;
        }
        Ok(())
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

/// Returns the tokens around a position, and the bytes of the text that they cover.
fn tokens_around(
    tokens: &PackedStrings,
    offsets: &[Offset],
    position: usize,
) -> (String, [usize; 2]) {
    let first = position.saturating_sub(TOKENS_BEFORE);
    let last = tokens.len().min(position + TOKENS_AFTER);
    let shown: Vec<_> = (tokens.iter().skip(first).take(last.saturating_sub(first)))
        .map(cell)
        .collect();
    let before = if first > 0 { "… " } else { "" };
    let after = if last < tokens.len() { " …" } else { "" };
    let shown = format!("{before}{}{after}", shown.join(" "));
    // Special tokens cover nothing.
    let covered = offsets.get(first..last).unwrap_or_default().iter();
    let covered = covered.filter(|(start, end)| start < end);
    let start = covered.clone().map(|(start, _)| *start).min();
    let end = covered.map(|(_, end)| *end).max();
    let start = if first == 0 { Some(0) } else { start };
    let end = if last == tokens.len() {
        Some(usize::MAX)
    } else {
        end
    };
    let end = end.unwrap_or(0);
    (shown, [start.unwrap_or(end), end])
}

/// Returns a part of a text, with signs of what is left out.
fn around(text: &str, start: usize, end: usize) -> String {
    let start = text.floor_char_boundary(start);
    let end = text.ceil_char_boundary(end.max(start));
    let before = if start > 0 { "…" } else { "" };
    let after = if end < text.len() { "…" } else { "" };
    format!("{before}{}{after}", &text[start..end])
}

/// Returns the place of a token, for the head of a difference.
fn place(path: Option<&str>, line: Option<u64>, position: usize) -> String {
    let path = path.map(|path| cell(path).into_owned());
    let line = line.map(|line| format!("line {line}"));
    let token = format!("token {position}");
    let place: Vec<String> = [path, line, Some(token)].into_iter().flatten().collect();
    place.join(" ")
}
