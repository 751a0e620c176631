//! The findings of `info`: contradictions between the files of a model, and facts that are correct but surprising.

use crate::embedding::EmbeddingMatrix;
use crate::error::Error;
use crate::formats::model_config::ModelConfig;
use crate::record::{FileEntry, Finding, Level};
use crate::render::numbers::thousands;
use crate::source::Reading;
use crate::tokenizer::Tokenizer;

/// Returns every finding about a model. `unusable` is the error if no engine can use the tokenizer. `matrix` may hold
/// the error that left the model without a matrix.
pub fn findings(
    files: &[FileEntry],
    tokenizer: Option<&Tokenizer>,
    unusable: Option<&Error>,
    matrix: Result<&EmbeddingMatrix, Option<&Error>>,
    config: Option<&ModelConfig>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(unusable.map(unusable_tokenizer));
    let no_tokenizer = || unusable.is_none().then(no_tokenizer);
    match (tokenizer, matrix) {
        (Some(tokenizer), Ok(matrix)) => {
            findings.extend(ids_without_row(tokenizer, matrix));
            findings.extend(spare_rows(tokenizer, matrix));
        }
        (None, Err(reason @ Some(Error::Usage { .. }))) => {
            findings.extend(no_tokenizer());
            findings.push(no_matrix(files, reason));
        }
        (None, _) => findings.extend(no_tokenizer()),
        (Some(_), Err(reason)) => findings.push(no_matrix(files, reason)),
    }
    if let (Ok(matrix), Some(config)) = (matrix, config) {
        findings.extend(vocab_size(matrix, config));
        findings.extend(hidden_size(matrix, config));
    }
    if let Some(tokenizer) = tokenizer {
        findings.extend(assumed_family(tokenizer));
        findings.extend(several_vocabularies(files, tokenizer));
        findings.extend(missing_unknown(tokenizer));
        findings.extend(assumed_encoding(tokenizer));
        findings.extend(slow_class(tokenizer));
        findings.extend(class_problems(tokenizer));
        findings.extend(byte_fallback(tokenizer));
        findings.extend(special_tokens(tokenizer));
        findings.extend(config.and_then(|config| context_window(tokenizer, config)));
    }
    findings
}

fn warning(code: &'static str, message: String) -> Finding {
    Finding {
        level: Level::Warning,
        code,
        message,
    }
}

fn note(code: &'static str, message: String) -> Finding {
    Finding {
        level: Level::Note,
        code,
        message,
    }
}

/// Returns the finding about a reading that has other steps.
pub fn readings_differ(reading: Reading, differences: &[String]) -> Finding {
    let (name, differences) = (reading.name(), differences.join("; "));
    note(
        "readings-differ",
        format!("{name} has {differences}: `verify --against {name}` compares your texts"),
    )
}

/// Returns the finding about a reading that cannot be had.
pub fn reading_refused(reading: Reading, error: &Error) -> Finding {
    let message = format!("there is no reading {}: {error}", reading.name());
    note("reading-refused", message)
}

fn ids_without_row(tokenizer: &Tokenizer, matrix: &EmbeddingMatrix) -> Option<Finding> {
    let rows = matrix.rows();
    let last = u64::from(tokenizer.vocabulary().last_id());
    (last >= rows).then(|| {
        warning(
            "ids-without-row",
            format!("ids {rows} to {last} of the tokenizer have no row in the matrix"),
        )
    })
}

fn spare_rows(tokenizer: &Tokenizer, matrix: &EmbeddingMatrix) -> Option<Finding> {
    let rows = matrix.rows();
    let gaps = tokenizer.vocabulary().gaps(rows);
    if gaps.is_empty() {
        return None;
    }
    let spare: u64 = gaps.iter().map(|(first, last)| last - first + 1).sum();
    let ids = thousands(tokenizer.vocabulary().size() as u64);
    let [spare, rows] = [spare, rows].map(thousands);
    Some(note(
        "spare-rows",
        format!("{spare} of the {rows} rows have no token: the tokenizer has {ids} ids"),
    ))
}

fn no_tokenizer() -> Finding {
    warning(
        "no-tokenizer",
        "the model has no tokenizer that tokscope can read".to_owned(),
    )
}

fn unusable_tokenizer(error: &Error) -> Finding {
    warning(
        "unusable-tokenizer",
        format!("no text can be tokenized: {error}"),
    )
}

fn no_matrix(files: &[FileEntry], reason: Option<&Error>) -> Finding {
    let is_listed = |name: &&str| files.iter().any(|file| file.name == **name);
    let message = match (EmbeddingMatrix::checkpoint_names().find(is_listed), reason) {
        (Some(name), Some(Error::NotCached { .. })) => format!(
            "the matrix is not described because {name} is not downloaded; `tokscope pull --weights` fetches it"
        ),
        // One of several files must be named.
        (_, Some(reason @ Error::Usage { .. })) | (Some(_), Some(reason)) => {
            format!("the matrix is not described: {reason}")
        }
        _ => "none of these files is a checkpoint that tokscope can read, so there is no matrix"
            .to_owned(),
    };
    note("no-matrix", message)
}

fn vocab_size(matrix: &EmbeddingMatrix, config: &ModelConfig) -> Option<Finding> {
    let rows = matrix.rows();
    let declared = config.vocab_size.filter(|declared| *declared != rows)?;
    let [declared, rows] = [declared, rows].map(thousands);
    Some(warning(
        "vocab-size",
        format!(
            "{} declares vocab_size {declared}, but the matrix has {rows} rows",
            config.file()
        ),
    ))
}

fn hidden_size(matrix: &EmbeddingMatrix, config: &ModelConfig) -> Option<Finding> {
    let columns = matrix.columns();
    let declared = config.hidden_size.filter(|declared| *declared != columns)?;
    let [declared, columns] = [declared, columns].map(thousands);
    Some(warning(
        "hidden-size",
        format!(
            "{} declares hidden_size {declared}, but the matrix has {columns} columns",
            config.file()
        ),
    ))
}

fn assumed_encoding(tokenizer: &Tokenizer) -> Option<Finding> {
    let encoding = tokenizer.assumed_encoding()?;
    let file = tokenizer.file();
    Some(warning(
        "assumed-encoding",
        format!(
            "{file} is read as {encoding} because of its name: its sha256 is not that of the published file"
        ),
    ))
}

fn slow_class(tokenizer: &Tokenizer) -> Option<Finding> {
    let class = tokenizer.slow_class()?;
    let message = format!(
        "{class} has no fast version: the reference is the slow class, and no tokenizer.json can be written"
    );
    Some(note("slow-class", message))
}

fn assumed_family(tokenizer: &Tokenizer) -> Option<Finding> {
    let assumption = tokenizer.assumption()?;
    Some(warning("assumed-family", assumption.to_owned()))
}

fn several_vocabularies(files: &[FileEntry], tokenizer: &Tokenizer) -> Option<Finding> {
    let names: Vec<&str> = files.iter().map(|file| &*file.name).collect();
    let others = tokenizer.other_vocabularies(&names).join(", ");
    (!others.is_empty()).then(|| {
        let file = tokenizer.file();
        let message = format!("the tokenizer is made from {file}, and not from {others}");
        match tokenizer.assumption() {
            Some(_) => warning("several-vocabularies", message),
            None => note("several-vocabularies", message),
        }
    })
}

fn missing_unknown(tokenizer: &Tokenizer) -> Option<Finding> {
    let unknown = tokenizer.missing_unknown()?;
    let file = tokenizer.file();
    let message = format!(
        "{file} lacks the unknown token {unknown}: a text with a word that its pieces cannot spell is refused"
    );
    Some(warning("no-unknown-token", message))
}

/// Returns a finding for each way in which the reference fails to load the tokenizer, or loads it differently.
fn class_problems(tokenizer: &Tokenizer) -> impl Iterator<Item = Finding> {
    let has_class = tokenizer.class_source().is_some() || tokenizer.assumption().is_some();
    tokenizer.class_problems().iter().map(move |problem| {
        if has_class {
            warning(
                "class-not-followed",
                format!("the reference does not load this tokenizer in the same way: {problem}"),
            )
        } else {
            note(
                "no-class",
                format!("tokenizer.json is taken as it stands, because {problem}"),
            )
        }
    })
}

fn byte_fallback(tokenizer: &Tokenizer) -> Option<Finding> {
    tokenizer.ignores_byte_fallback().then(|| {
        note(
            "byte-fallback",
            format!(
                "{} asks for byte fallback, which the reference tokenizer leaves out: unknown characters become the unknown token",
                tokenizer.file()
            ),
        )
    })
}

fn special_tokens(tokenizer: &Tokenizer) -> impl Iterator<Item = Finding> {
    let tokens = tokenizer.special_tokens().into_iter();
    let unknown = tokens.filter(|(_, _, id)| id.is_none());
    unknown.map(|(role, token, _)| {
        warning(
            "special-token",
            format!("{role} is `{token}`, which is not in the vocabulary"),
        )
    })
}

fn context_window(tokenizer: &Tokenizer, config: &ModelConfig) -> Option<Finding> {
    let window = config.context_window.as_ref()?;
    let declared = window.tokens;
    let limit = tokenizer.max_length().filter(|limit| *limit != declared)?;
    let place = match window.source.unused {
        0 => String::new(),
        unused => format!(
            " for {} tokens, as {unused} of its positions are not used",
            thousands(declared)
        ),
    };
    let size = declared.saturating_add(window.source.unused);
    let size = thousands(size);
    let limit = thousands(limit);
    Some(note(
        "context-window",
        format!(
            "{} declares {} {size}{place}, but model_max_length is {limit}",
            config.file(),
            window.source.setting
        ),
    ))
}
