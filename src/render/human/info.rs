//! What a model is, for people.

use std::io::{self, Write};

use super::{ranges, thousands};
use crate::record::{Info, Level, SpecialToken};
use crate::render::escape::cell;
use crate::render::style::Style;

/// Added tokens listed by name; of more, only the number is given.
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

fn name(token: &SpecialToken) -> String {
    match token.id {
        Some(id) => format!("{} {id}", cell(&token.token)),
        None => format!("{} (not in the vocabulary)", cell(&token.token)),
    }
}
