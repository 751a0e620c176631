//! A model, its files, and its vocabulary, for people.

use std::io::{self, Write};

use super::cells::{pad, ranges, thousands};
use super::renderer::Human;
use crate::record::{Convert, File, Info, Level, Piece, SpecialToken};
use crate::render::escape::cell;
use crate::render::style::Style;

/// Largest number of added tokens that are listed; of more, only the number is shown.
const LISTED_TOKENS: usize = 12;

pub fn write(out: &mut dyn Write, style: Style, info: &Info) -> io::Result<()> {
    let mut line = |label: &str, value: String| {
        let label = style.head(&format!("{label:<16}"));
        writeln!(out, "{label} {value}")
    };
    line("model", cell(&info.model).into_owned())?;
    if let Some(commit) = &info.commit {
        line("commit", commit.clone())?;
    }
    if let Some(tokenizer) = &info.tokenizer {
        let class = tokenizer
            .class
            .as_deref()
            .map(|class| format!(", {}", cell(class)))
            .unwrap_or_default();
        line(
            "tokenizer",
            format!(
                "{}{class}, from {}",
                cell(&tokenizer.model),
                cell(&tokenizer.file)
            ),
        )?;
        line(
            "engine",
            format!("{}: {}", tokenizer.engine, cell(&tokenizer.engine_reason)),
        )?;
        line("vocabulary size", tokenizer.vocabulary_size.to_string())?;
        let special: Vec<String> = tokenizer
            .special_tokens
            .iter()
            .map(|(role, token)| format!("{} {}", role.trim_end_matches("_token"), name(token)))
            .collect();
        if !special.is_empty() {
            line("special tokens", special.join(", "))?;
        }
        if tokenizer.added_tokens.len() > LISTED_TOKENS {
            line("added tokens", tokenizer.added_tokens.len().to_string())?;
        } else if !tokenizer.added_tokens.is_empty() {
            let added: Vec<String> = tokenizer.added_tokens.iter().map(name).collect();
            line("added tokens", added.join(", "))?;
        }
    }
    if let Some(matrix) = &info.embedding {
        let padding = matrix
            .padding_idx
            .map(|id| format!(", padding_idx {id}"))
            .unwrap_or_default();
        line(
            "embedding",
            format!(
                "{} x {} {}{padding}",
                matrix.rows, matrix.columns, matrix.dtype
            ),
        )?;
        line(
            "tensor",
            format!(
                "{} in {} ({})",
                cell(&matrix.tensor),
                cell(&matrix.file),
                matrix.container
            ),
        )?;
        if !matrix.rows_without_token.is_empty() {
            let spare = ranges(&matrix.rows_without_token);
            line("without token", format!("rows {spare}"))?;
        }
    }
    if let Some(config) = &info.config {
        let mut parts = Vec::new();
        parts.extend(
            config
                .model_type
                .as_deref()
                .map(|value| format!("model_type {}", cell(value))),
        );
        parts.extend(config.vocab_size.map(|value| format!("vocab_size {value}")));
        parts.extend(
            config
                .hidden_size
                .map(|value| format!("hidden_size {value}")),
        );
        parts.extend(
            config
                .max_position_embeddings
                .map(|value| format!("max_position_embeddings {value}")),
        );
        line("config", parts.join(", "))?;
    }
    if let Some(window) = info.context_window {
        line("context window", format!("{window} tokens"))?;
    }
    for (index, file) in info.files.iter().enumerate() {
        let size = file.size.map(thousands).unwrap_or_default();
        let cached = if file.cached {
            ""
        } else {
            "  (not downloaded)"
        };
        let label = if index == 0 { "files" } else { "" };
        line(label, format!("{size:>13}  {}{cached}", cell(&file.name)))?;
    }
    for finding in &info.findings {
        let message = cell(&finding.message);
        match finding.level {
            Level::Note => writeln!(out, "{} {message}", style.note("note:"))?,
            Level::Warning => writeln!(out, "{} {message}", style.bad("warning:"))?,
        }
    }
    Ok(())
}

impl Human<'_> {
    pub(super) fn piece(&mut self, record: &Piece) -> io::Result<()> {
        let head = format!(
            "{:>7}  {}  {}  {:>9}",
            "id",
            pad("piece", 20),
            pad("kind", 12),
            "score"
        );
        self.head("piece", &head)?;
        let score = record
            .score
            .map(|score| format!("{score:>9.4}"))
            .unwrap_or_default();
        let mut kind = record.kind.to_owned();
        if record.special && record.kind != "control" {
            kind.push_str(", special");
        }
        let piece = pad(&cell(&record.piece), 20);
        let line = format!("{:>7}  {piece}  {}  {score}", record.id, pad(&kind, 12));
        writeln!(self.out, "{}", line.trim_end())
    }

    pub(super) fn file(&mut self, record: &File) -> io::Result<()> {
        let how = if record.cached {
            "cached"
        } else {
            "downloaded"
        };
        let of = match &record.tensor {
            Some(tensor) => format!("  of it {}", cell(tensor)),
            None => String::new(),
        };
        writeln!(
            self.out,
            "{:>12}  {}  {how}{of}",
            thousands(record.size),
            pad(&cell(&record.name), 32)
        )
    }

    pub(super) fn convert(&mut self, record: &Convert) -> io::Result<()> {
        let proof = format!("the same on {} texts", thousands(record.texts as u64));
        writeln!(
            self.out,
            "{:>12}  {}  {}",
            thousands(record.size),
            cell(&record.path),
            self.output.style.good(&proof)
        )
    }
}

fn name(token: &SpecialToken) -> String {
    match token.id {
        Some(id) => format!("{} {id}", cell(&token.token)),
        None => format!("{} (not in the vocabulary)", cell(&token.token)),
    }
}
