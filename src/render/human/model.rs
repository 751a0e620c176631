//! A model, its files, and its vocabulary, for people.

use std::io;

use super::renderer::Human;
use crate::record::{
    Cached, ConfigInfo, Convert, EmbeddingInfo, File, Info, Level, Piece, SpecialToken,
    TokenizerInfo,
};
use crate::render::cells::{GLUE, display_width, pad};
use crate::render::escape::cell;
use crate::render::numbers::{quantity, ranges, thousands};

/// The maximum number of added tokens to list. If there are more, only their number is shown.
const LISTED_TOKENS: usize = 12;
/// The widths of the columns of a vocabulary.
const PIECE_WIDTH: usize = 20;
const KIND_WIDTH: usize = 12;
/// In a narrower terminal, a vocabulary has no column of kinds.
const MIN_WIDTH_WITH_KIND: usize = 54;
/// The width of the column of file names.
const NAME_WIDTH: usize = 32;
/// In a narrower terminal, file names have no column of their own.
const MIN_WIDTH_WITH_NAMES: usize = 60;

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
            let source = record.context_window_source.as_deref();
            let source = source.map(|source| format!(" ({})", cell(source)));
            let tokens = quantity(window, "token");
            self.fact(
                "context window",
                format!("{tokens}{}", source.unwrap_or_default()),
            )?;
        }
        for (index, file) in record.files.iter().enumerate() {
            let size = file.size.map(thousands).unwrap_or_default();
            let cached = if file.cached {
                ""
            } else {
                "  (not downloaded)"
            };
            let cached = glued(cached);
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
            self.wrapped(6, &format!("{level} {message}"))?;
        }
        Ok(())
    }

    fn tokenizer(&mut self, tokenizer: &TokenizerInfo) -> io::Result<()> {
        let class = tokenizer.class.as_deref().map(cell);
        let class = class.map(|class| format!(", {class}")).unwrap_or_default();
        let (model, file) = (cell(&tokenizer.model), cell(&tokenizer.file));
        self.fact("tokenizer", format!("{model}{class}, from {file}"))?;
        if let Some(source) = &tokenizer.class_source {
            let changes: Vec<_> = tokenizer
                .class_changes
                .iter()
                .map(|one| cell(one))
                .collect();
            let changes = match changes.as_slice() {
                [] if file == "tokenizer.json" => ": it changes nothing".to_owned(),
                // Another file is read as its class says.
                [] => String::new(),
                changes => format!(": {}", changes.join("; ")),
            };
            self.fact("class", format!("named in {}{changes}", cell(source)))?;
        }
        if let Some(gguf) = &tokenizer.gguf {
            let pre = gguf.pre.as_deref().map(cell);
            let pre = pre.map(|pre| format!(", pre-tokenizer{GLUE}{pre}"));
            let template = gguf.chat_template.then_some(", with a chat template");
            let (model, pre) = (cell(&gguf.model), pre.unwrap_or_default());
            let template = template.unwrap_or_default();
            self.fact("vocabulary", format!("{model}{pre}{template}"))?;
        }
        let reason = cell(&tokenizer.engine_reason);
        self.fact("engine", format!("{}: {reason}", tokenizer.engine))?;
        self.fact(
            "vocabulary size",
            thousands(tokenizer.vocabulary_size as u64),
        )?;
        let special: Vec<String> = tokenizer
            .special_tokens
            .iter()
            .map(|(role, token)| {
                let role = role.trim_end_matches("_token");
                format!("{role}{GLUE}{}", token_and_id(token))
            })
            .collect();
        let eot = tokenizer
            .gguf
            .as_ref()
            .and_then(|gguf| gguf.eot_token.as_ref());
        let eot = eot.map(|token| format!("eot{GLUE}{}", token_and_id(token)));
        let special: Vec<String> = special.into_iter().chain(eot).collect();
        if !special.is_empty() {
            self.fact("special tokens", special.join(", "))?;
        }
        let added = &tokenizer.added_tokens;
        if added.len() > LISTED_TOKENS {
            self.fact("added tokens", thousands(added.len() as u64))?;
        } else if !added.is_empty() {
            let added: Vec<String> = added.iter().map(token_and_id).collect();
            self.fact("added tokens", added.join(", "))?;
        }
        Ok(())
    }

    fn embedding(&mut self, matrix: &EmbeddingInfo) -> io::Result<()> {
        let padding = matrix.padding_idx;
        let padding = padding.map(|id| format!(", padding_idx{GLUE}{id}"));
        let padding = padding.unwrap_or_default();
        let [rows, columns] = [matrix.rows, matrix.columns].map(thousands);
        let dtype = &matrix.dtype;
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
        let has_kind = self.output.columns() >= MIN_WIDTH_WITH_KIND;
        let kind_column = |kind: &str| match has_kind {
            true => format!("  {}", pad(kind, KIND_WIDTH)),
            false => String::new(),
        };
        let (name, kind) = (pad("piece", PIECE_WIDTH), kind_column("kind"));
        self.head(
            "piece",
            &format!("{:>7}  {name}{kind}  {:>9}", "id", "score"),
        )?;
        let score = record
            .score
            .map(|score| format!("{score:>9.4}"))
            .unwrap_or_default();
        let mut kind = record.kind.to_owned();
        if record.special && record.kind != "control" {
            kind.push_str(", special");
        }
        let kind = kind_column(&kind);
        // A long piece may take the room that the terminal has left.
        let width = self.output.width.unwrap_or(usize::MAX);
        let room = width.saturating_sub(7 + 2 + display_width(&kind) + 2 + 9);
        let piece = self.cell_in(&cell(&record.piece), room.max(PIECE_WIDTH));
        let piece = pad(&piece, PIECE_WIDTH);
        let line = format!("{:>7}  {piece}{kind}  {score}", record.id);
        self.line(line.trim_end())
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
        let (size, name) = (thousands(record.size), cell(&record.name));
        let width = if self.output.columns() < MIN_WIDTH_WITH_NAMES {
            0
        } else {
            NAME_WIDTH
        };
        let name = pad(&name, width);
        self.wrapped(14, &format!("{size:>12}  {name}  {how}{of}"))
    }

    pub(super) fn cached(&mut self, record: &Cached) -> io::Result<()> {
        let (size, name) = (thousands(record.size), cell(&record.name));
        let cache = pad(record.cache, 8);
        let holds = record.holds.join(", ");
        let line = format!("{size:>15}  {cache}  {name}  {holds}");
        self.wrapped(27, line.trim_end())
    }

    pub(super) fn convert(&mut self, record: &Convert) -> io::Result<()> {
        let proof = format!("the same on {}", quantity(record.texts as u64, "text"));
        let (size, path) = (thousands(record.size), cell(&record.path));
        let proof = self.output.style.good(&glued(&proof));
        self.wrapped(14, &format!("{size:>12}  {path}  {proof}"))
    }
}

/// Returns the declared fields of a configuration as one line.
fn config_line(config: &ConfigInfo) -> String {
    let number = |name: &str, value: Option<u64>| {
        value.map(|value| format!("{name}{GLUE}{}", thousands(value)))
    };
    let model_type = config.model_type.as_deref();
    let quantization = config.quantization.as_deref();
    let fields = [
        model_type.map(|value| format!("model_type{GLUE}{}", cell(value))),
        number("vocab_size", config.vocab_size),
        number("hidden_size", config.hidden_size),
        number("max_position_embeddings", config.max_position_embeddings),
        quantization.map(|name| format!("quantization{GLUE}{name}")),
    ];
    let fields: Vec<String> = fields.into_iter().flatten().collect();
    fields.join(", ")
}

fn token_and_id(token: &SpecialToken) -> String {
    match token.id {
        Some(id) => format!("{}{GLUE}{id}", cell(&token.token)),
        None => format!("{} (not in the vocabulary)", cell(&token.token)),
    }
}

/// Returns a text that is not broken at its spaces, except those at its beginning.
fn glued(text: &str) -> String {
    let words = text.trim_start();
    let start = &text[..text.len() - words.len()];
    format!("{start}{}", words.replace(' ', &GLUE.to_string()))
}
