//! A model, its files, and its vocabulary, for people.

use std::io::{self, Write};

use super::cells::{pad, ranges, thousands};
use super::renderer::Human;
use crate::record::{
    ConfigInfo, Convert, EmbeddingInfo, File, Info, Level, Piece, SpecialToken, TokenizerInfo,
};
use crate::render::escape::cell;

/// The maximum number of added tokens to list. If there are more, only their number is shown.
const LISTED_TOKENS: usize = 12;

impl Human<'_> {
    pub(super) fn info(&mut self, record: &Info) -> io::Result<()> {
        self.fact("model", cell(&record.model))?;
        if let Some(commit) = &record.commit {
            self.fact("commit", commit)?;
        }
        if let Some(tokenizer) = &record.tokenizer {
            self.tokenizer(tokenizer)?;
        }
        if let Some(matrix) = &record.embedding {
            self.embedding(matrix)?;
        }
        if let Some(config) = &record.config {
            self.fact("config", config_line(config))?;
        }
        if let Some(window) = record.context_window {
            self.fact("context window", format!("{window} tokens"))?;
        }
        for (index, file) in record.files.iter().enumerate() {
            let size = file.size.map(thousands).unwrap_or_default();
            let cached = if file.cached {
                ""
            } else {
                "  (not downloaded)"
            };
            let label = if index == 0 { "files" } else { "" };
            let name = cell(&file.name);
            self.fact(label, format!("{size:>13}  {name}{cached}"))?;
        }
        for finding in &record.findings {
            let message = cell(&finding.message);
            let style = self.output.style;
            let level = match finding.level {
                Level::Note => style.note("note:"),
                Level::Warning => style.bad("warning:"),
            };
            writeln!(self.out, "{level} {message}")?;
        }
        Ok(())
    }

    fn tokenizer(&mut self, tokenizer: &TokenizerInfo) -> io::Result<()> {
        let class = tokenizer.class.as_deref().map(cell);
        let class = class.map(|class| format!(", {class}")).unwrap_or_default();
        let (model, file) = (cell(&tokenizer.model), cell(&tokenizer.file));
        self.fact("tokenizer", format!("{model}{class}, from {file}"))?;
        let reason = cell(&tokenizer.engine_reason);
        self.fact("engine", format!("{}: {reason}", tokenizer.engine))?;
        self.fact("vocabulary size", tokenizer.vocabulary_size)?;
        let special: Vec<String> = tokenizer
            .special_tokens
            .iter()
            .map(|(role, token)| {
                let role = role.trim_end_matches("_token");
                format!("{role} {}", token_and_id(token))
            })
            .collect();
        if !special.is_empty() {
            self.fact("special tokens", special.join(", "))?;
        }
        let added = &tokenizer.added_tokens;
        if added.len() > LISTED_TOKENS {
            self.fact("added tokens", added.len())?;
        } else if !added.is_empty() {
            let added: Vec<String> = added.iter().map(token_and_id).collect();
            self.fact("added tokens", added.join(", "))?;
        }
        Ok(())
    }

    fn embedding(&mut self, matrix: &EmbeddingInfo) -> io::Result<()> {
        let padding = matrix.padding_idx;
        let padding = padding.map(|id| format!(", padding_idx {id}"));
        let padding = padding.unwrap_or_default();
        let (rows, columns, dtype) = (matrix.rows, matrix.columns, &matrix.dtype);
        self.fact("embedding", format!("{rows} x {columns} {dtype}{padding}"))?;
        let (tensor, file) = (cell(&matrix.tensor), cell(&matrix.file));
        let container = &matrix.container;
        self.fact("tensor", format!("{tensor} in {file} ({container})"))?;
        if !matrix.rows_without_token.is_empty() {
            let spare = ranges(&matrix.rows_without_token);
            self.fact("without token", format!("rows {spare}"))?;
        }
        Ok(())
    }

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

/// Returns the declared fields of a configuration as one line.
fn config_line(config: &ConfigInfo) -> String {
    let number = |name: &str, value: Option<u64>| value.map(|value| format!("{name} {value}"));
    let model_type = config.model_type.as_deref();
    let fields = [
        model_type.map(|value| format!("model_type {}", cell(value))),
        number("vocab_size", config.vocab_size),
        number("hidden_size", config.hidden_size),
        number("max_position_embeddings", config.max_position_embeddings),
    ];
    let fields: Vec<String> = fields.into_iter().flatten().collect();
    fields.join(", ")
}

fn token_and_id(token: &SpecialToken) -> String {
    match token.id {
        Some(id) => format!("{} {id}", cell(&token.token)),
        None => format!("{} (not in the vocabulary)", cell(&token.token)),
    }
}
