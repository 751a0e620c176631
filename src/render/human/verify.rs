//! The two engines, and two readings, compared, for people.

use std::borrow::Cow;
use std::io::{self, Write};

use super::renderer::Human;
use crate::record::{Against, Difference, Divergence, Offset, PackedStrings, Verify};
use crate::render::escape::cell;
use crate::render::numbers::{quantity, thousands};
use crate::render::view::View;

/// The number of tokens shown before the first that differs.
const TOKENS_BEFORE: usize = 3;
/// The number of tokens shown from the first that differs on, where two readings are compared.
const TOKENS_AFTER: usize = 12;
/// The most tokens shown of one encoding.
const MAX_TOKENS: usize = 24;
/// The number of characters shown of a long text before the first token that differs, and from there on.
const CHARACTERS_AROUND: [usize; 2] = [30, 60];

impl Human<'_> {
    pub(super) fn difference(&mut self, record: &Difference, view: View) -> io::Result<()> {
        let style = self.output.style;
        let place = place(record.path.as_deref(), record.line, record.position);
        writeln!(self.out, "{}", style.head(&place))?;
        let offset = record.native_offsets.get(record.position);
        let text = text_near(&record.text, offset.map_or(0, |(start, _)| *start));
        self.line(&format!("  text       {}", cell(&text)))?;
        let native = self.tokens_near(&record.native, record.position);
        let reference = self.tokens_near(&record.reference, record.position);
        let [ours, theirs] = match view {
            View::Converted => ["model", "converted"],
            _ => ["native", "reference"],
        };
        self.line(&format!("  {ours:<9}  {native}"))?;
        self.line(&format!("  {theirs:<9}  {reference}"))
    }

    /// Returns the tokens of an encoding; of a long one or on a terminal, those from a little before the position on.
    fn tokens_near(&self, tokens: &PackedStrings, position: usize) -> String {
        let first = match self.output.width {
            None if tokens.len() <= MAX_TOKENS => 0,
            _ => position.saturating_sub(TOKENS_BEFORE),
        };
        let shown: Vec<_> = tokens
            .iter()
            .skip(first)
            .take(MAX_TOKENS)
            .map(cell)
            .collect();
        let before = if first > 0 { "… " } else { "" };
        let after = if first + shown.len() < tokens.len() {
            " …"
        } else {
            ""
        };
        format!("{before}{}{after}", shown.join(" "))
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

/// Returns the part of a text around a place in bytes.
fn text_near(text: &str, place: usize) -> Cow<'_, str> {
    let [before, after] = CHARACTERS_AROUND;
    let (left, right) = text.split_at(text.floor_char_boundary(place));
    let start = left
        .char_indices()
        .rev()
        .nth(before)
        .map_or(0, |(at, _)| at);
    let end = right
        .char_indices()
        .nth(after)
        .map_or(text.len(), |(at, _)| left.len() + at);
    if start == 0 && end == text.len() {
        return Cow::Borrowed(text);
    }
    let more = |is_cut: bool| if is_cut { "…" } else { "" };
    let (cut_before, cut_after) = (more(start > 0), more(end < text.len()));
    Cow::Owned(format!("{cut_before}{}{cut_after}", &text[start..end]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_around_the_difference() {
        assert_eq!(text_near("señal", 3), "señal");
        let text = "ñ".repeat(200);
        assert_eq!(text_near(&text, 0), format!("{}…", "ñ".repeat(60)));
        assert_eq!(text_near(&text, 201), format!("…{}…", "ñ".repeat(91)));
        assert_eq!(text_near(&text, 9999), format!("…{}", "ñ".repeat(31)));
    }
}
