//! `info`: describes a model and reports where its files contradict each other.

use clap::Args as ClapArgs;
use serde_json::Value;

use super::contradictions;
use super::model::{config, context_window, fetched, gguf_config};
use super::other_readings;
use super::session::Session;
use crate::embedding::EmbeddingMatrix;
use crate::error::{Error, Exit, Result};
use crate::formats::model_config::ModelConfig;
use crate::record::{
    ConfigInfo, EmbeddingInfo, FileEntry, Info, Record, SpecialToken, TokenizerInfo,
};
use crate::source::ModelFiles;
use crate::tokenizer::{EngineChoice, GgufPieces, Tokenizer};

/// Describe a model: tokenizer, matrix, context window, files, contradictions
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// Print one bare value: a dotted path into the JSON record, or vocabulary_size, rows, columns, context_window,
    /// commit
    #[arg(long, value_name = "FIELD")]
    pub get: Option<String>,
    /// Exit with code 1 if there are any findings
    #[arg(long)]
    pub strict: bool,
}

/// Short field names for `--get`, with their paths.
const SHORT_NAMES: &[(&str, &str)] = &[
    ("vocabulary_size", "tokenizer.vocabulary_size"),
    ("rows", "embedding.rows"),
    ("columns", "embedding.columns"),
];

/// The errors of the parts of a model that cannot be used.
#[derive(Debug)]
pub struct Failures {
    pub tokenizer: Option<Error>,
    pub matrix: Option<Error>,
}

/// Computes the record of a model. Also returns the errors of parts that cannot be used. If the checkpoint is not on
/// this machine, fetches only its headers. With `builds_engine`, finds a tokenizer that cannot be built, which takes as
/// long as encoding a first text.
///
/// # Errors
/// Fails if a file other than the checkpoint exists but cannot be read. A missing tokenizer is not an error.
pub fn info(
    files: &ModelFiles,
    engine: EngineChoice,
    builds_engine: bool,
) -> Result<(Info, Failures)> {
    let mut config = config(files)?;
    let mut unreadable = None;
    let tokenizer = match Tokenizer::open(files) {
        Ok(tokenizer) => Some(tokenizer.with_engine(engine)),
        Err(Error::MissingPart { .. }) => None,
        // The metadata and the matrix of a GGUF file can be described without its vocabulary.
        Err(error) if GgufPieces::open(files)?.is_some() => {
            unreadable = Some(error);
            None
        }
        Err(error) => return Err(error),
    };
    let unusable = (tokenizer.as_ref())
        .filter(|_| builds_engine)
        .and_then(|tokenizer| tokenizer.prepare().err())
        // The native engine was chosen and is not exact; the other one is usable.
        .filter(|error| !matches!(error, Error::Usage { .. }));
    let list: Vec<FileEntry> = files
        .list()?
        .into_iter()
        .map(|file| FileEntry {
            name: file.name,
            size: file.size,
            cached: file.cached,
        })
        .collect();
    let (matrix, no_matrix) = match EmbeddingMatrix::open(files) {
        Ok(matrix) => (Some(matrix), None),
        Err(reason) => (None, Some(reason)),
    };
    config = config.or_else(|| gguf_config(files, matrix.as_ref()));
    let window = context_window(files, config.as_ref(), tokenizer.as_ref())?;
    let matrix_or = matrix.as_ref().ok_or(no_matrix.as_ref());
    let info = Info {
        model: files.model(),
        commit: files.commit(),
        findings: contradictions::findings(
            &list,
            tokenizer.as_ref(),
            unusable.as_ref().or(unreadable.as_ref()),
            matrix_or,
            config.as_ref(),
        ),
        fetched: fetched(files),
        files: list,
        tokenizer: (tokenizer.as_ref())
            .map(|tokenizer| tokenizer_info(tokenizer, unusable.as_ref())),
        embedding: matrix
            .as_ref()
            .map(|matrix| embedding_info(matrix, tokenizer.as_ref(), config.as_ref())),
        config: config.map(|config| ConfigInfo {
            model_type: config.model_type,
            vocab_size: config.vocab_size,
            hidden_size: config.hidden_size,
            max_position_embeddings: config.max_position_embeddings,
            quantization: config.quantization,
        }),
        context_window: window.as_ref().map(|window| window.tokens),
        context_window_source: window.map(|window| window.source.to_string()),
    };
    let failures = Failures {
        tokenizer: unusable,
        matrix: no_matrix,
    };
    Ok((info, failures))
}

fn tokenizer_info(tokenizer: &Tokenizer, unusable: Option<&Error>) -> TokenizerInfo {
    let vocabulary = tokenizer.vocabulary();
    let (engine, engine_reason) = match unusable {
        Some(error) => ("none", error.to_string()),
        None => tokenizer.engine(),
    };
    TokenizerInfo {
        model: tokenizer.algorithm().to_owned(),
        class: tokenizer.class().map(str::to_owned),
        class_source: tokenizer.class_source().map(str::to_owned),
        class_changes: tokenizer.class_changes().to_vec(),
        reading: tokenizer.reading().name(),
        file: tokenizer.file().to_owned(),
        vocabulary_size: tokenizer.vocabulary().size(),
        special_tokens: tokenizer
            .special_tokens()
            .into_iter()
            .map(|(role, token, id)| {
                let token = token.to_owned();
                (role.to_owned(), SpecialToken { token, id })
            })
            .collect(),
        added_tokens: vocabulary
            .entries()
            .iter()
            .filter(|entry| entry.added)
            .map(|entry| SpecialToken {
                token: entry.piece.clone(),
                id: Some(entry.id),
            })
            .collect(),
        model_max_length: tokenizer.max_length(),
        gguf: tokenizer.gguf().cloned(),
        engine,
        engine_reason,
    }
}

fn embedding_info(
    matrix: &EmbeddingMatrix,
    tokenizer: Option<&Tokenizer>,
    config: Option<&ModelConfig>,
) -> EmbeddingInfo {
    let pad = |tokenizer: &Tokenizer| {
        let pad = tokenizer
            .special_tokens()
            .into_iter()
            .find(|(role, ..)| *role == "pad_token");
        pad.and_then(|(_, _, id)| id).map(u64::from)
    };
    EmbeddingInfo {
        tensor: matrix.tensor().to_owned(),
        file: matrix.file().to_owned(),
        container: matrix.container().to_owned(),
        rows: matrix.rows(),
        columns: matrix.columns(),
        dtype: matrix.stored_dtype().name().to_owned(),
        dequantized: matrix.is_dequantized(),
        padding_idx: config
            .and_then(|config| config.pad_token_id)
            .or_else(|| tokenizer.and_then(pad)),
        rows_without_token: tokenizer
            .map(|tokenizer| tokenizer.vocabulary().gaps(matrix.rows()))
            .unwrap_or_default(),
    }
}

/// Returns the dotted path of a field, which may be a short name.
fn field_path(field: &str) -> &str {
    let short = SHORT_NAMES.iter().find(|(short, _)| *short == field);
    short.map_or(field, |(_, path)| path)
}

/// Returns true if the checkpoint does not exist, is one of several, or cannot be reached, which `info` reports only as a
/// note.
fn is_absence(reason: &Error) -> bool {
    matches!(
        reason,
        Error::MissingPart { .. }
            | Error::Usage { .. }
            | Error::NotCached { .. }
            | Error::HubUnreachable { .. }
    )
}

fn is_matrix_field(field: &str) -> bool {
    field_path(field).split('.').next() == Some("embedding")
}

fn names_findings(field: &str) -> bool {
    field == "findings" || field.starts_with("findings.")
}

/// Returns true if a field may tell that the tokenizer cannot be built.
fn depends_on_engine(field: &str) -> bool {
    names_findings(field) || field == "tokenizer" || field.starts_with("tokenizer.engine")
}

/// Returns the value at a dotted path of the record.
fn get(info: &Info, field: &str) -> Result<String> {
    let path = field_path(field);
    let record = serde_json::to_value(info).unwrap_or_default();
    let found = path.split('.').try_fold(&record, |value, key| match value {
        Value::Array(items) => items.get(key.parse::<usize>().ok()?),
        value => value.get(key),
    });
    match found {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(value) => Ok(value.to_string()),
        None => Err(Error::usage_hint(
            format!("the info of {} has no field `{field}`", info.model),
            "`tokscope info --json` shows every field of this model",
        )),
    }
}

/// Runs the command.
pub fn run(args: &Args, session: &mut Session) -> Result<Exit> {
    if args.get.is_some() {
        session.only_for_people("--get")?;
    }
    let builds_engine = args.strict || args.get.as_deref().is_none_or(depends_on_engine);
    let files = session.files()?;
    let (mut info, failures) = info(&files, session.model.engine, builds_engine)?;
    if info.tokenizer.is_some() && args.get.as_deref().is_none_or(names_findings) {
        info.findings
            .extend(other_readings::findings(files, &info.files));
    }
    let strict = args.strict && !info.findings.is_empty();
    match &args.get {
        Some(field) => match (get(&info, field), failures.matrix) {
            (Ok(value), _) => session.bare(&value)?,
            // The field may be missing only because the matrix could not be read.
            (Err(_), Some(reason)) if is_matrix_field(field) => return Err(reason),
            (Err(error), _) => return Err(error),
        },
        None => {
            session.emit(&Record::Info(Box::new(info)))?;
            // Report a bad tokenizer or checkpoint last, after everything else about the model.
            let no_matrix = failures.matrix.filter(|reason| !is_absence(reason));
            if let Some(reason) = failures.tokenizer.or(no_matrix) {
                return Err(reason);
            }
        }
    }
    Ok(if strict { Exit::Negative } else { Exit::Done })
}
