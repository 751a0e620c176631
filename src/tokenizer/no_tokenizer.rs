//! The errors for models without a tokenizer that can be read.

use super::class::Found;
use super::definition::{SPM_MODEL, TOKENIZER_JSON};
use crate::error::{Error, Result};
use crate::formats::gguf::model_file as gguf_file;
use crate::formats::placeholder_file;
use crate::source::{FileKind, ModelFiles};

/// The names of vocabularies that are read if a file of the model names their class.
const VOCABULARY_NAMES: [&str; 6] = [
    "spiece.model",
    "sentencepiece.bpe.model",
    "sentencepiece.model",
    "tokenizer.model",
    "vocab.txt",
    "vocab.json",
];

/// The remedy if no file names the class.
const NAME_CLASS: &str =
    "name it in tokenizer_config.json, as in `{\"tokenizer_class\": \"BertTokenizer\"}`";

/// Refuses a model that is a file without a tokenizer.
///
/// # Errors
/// Fails with [`Error::MissingPart`], [`Error::Unsupported`] or [`Error::Damaged`] for such a file, or with the error of
/// reading it.
pub fn check_kind(files: &ModelFiles) -> Result<()> {
    let (Some(kind), Some(name)) = (files.only_kind()?, files.only()) else {
        return Ok(());
    };
    placeholder_file::refuse_only(files)?;
    match kind {
        FileKind::Vectors => Err(Error::MissingPart {
            place: files.place(),
            what: "tokenizer: it is a file of vectors",
            hint: Some(
                "use `embed`, `neighbors`, `similarity`, `diff`, `stats` or `vocab`, which look up its words".to_owned(),
            ),
        }),
        FileKind::Other => {
            let problem =
                "it is neither a tokenizer nor a vocabulary, a checkpoint, or a file of vectors";
            let hint = "name the directory with the model's files, or one file of those kinds";
            Err(Error::unsupported(files.reference_to(name), problem).with_hint(hint))
        }
        _ => Ok(()),
    }
}

/// Returns the error for a model that lacks a file of its class. The hint names the class with the file that says so, the
/// files of the class, and another vocabulary that the model has.
pub fn without_files(
    files: &ModelFiles,
    what: &'static str,
    (class, source): (&str, Option<&str>),
    names: &[&str],
) -> Error {
    let class = class.trim_end_matches("Fast");
    let source = source.map_or_else(String::new, |source| format!("{source} says that "));
    let made = format!(
        "{source}it is a {class}, which is made from {}",
        names.join(", ")
    );
    let hint = match other_vocabulary(files) {
        Some(other) => format!("{made}; {other}"),
        None => made,
    };
    files.missing(what, names).with_hint(hint)
}

/// Returns the error for a model without a readable tokenizer. It names the vocabulary that the model has instead, if
/// any. `is_deberta` is true if a file of the model says that it is a DeBERTa.
///
/// # Errors
/// Fails with the error of finding a file.
pub fn error(files: &ModelFiles, class: &Found, is_deberta: bool) -> Result<Error> {
    if let Some(name) = files.only()
        && !files.has(name)?
    {
        return Ok(files.no_such_file(name));
    }
    let is_undeclared = matches!(class, Found::Undeclared { .. });
    let has = ["vocab.json", "merges.txt"].map(|name| files.has(name));
    let [has_pieces, has_merges] = has;
    match (has_pieces?, has_merges?) {
        (true, false) if is_undeclared => return Ok(without_merges(files)),
        (false, true) if is_undeclared && files.only().is_none() => {
            let error = files.missing("vocab.json beside its merges.txt", &["vocab.json"]);
            return Ok(error.with_hint("put its vocab.json beside it"));
        }
        _ => {}
    }
    for name in VOCABULARY_NAMES {
        if files.has(name)? {
            return Ok(of_vocabulary(files, name, class));
        }
    }
    // Offline, the model's other files are unknown, and this returns a different error.
    let names = [TOKENIZER_JSON, SPM_MODEL];
    let what = match is_deberta && !is_undeclared {
        true => "tokenizer.json and no spm.model",
        false => "tokenizer.json and no other vocabulary",
    };
    let missing = files.missing(what, &names);
    let hint = match files.only_kind()? {
        Some(FileKind::Gguf) => {
            "the GGUF file has no vocabulary: name a directory with a tokenizer.json".to_owned()
        }
        Some(FileKind::Checkpoint) => {
            "put the files of the tokenizer beside the checkpoint".to_owned()
        }
        _ => other_vocabulary(files).unwrap_or_else(|| {
            "a model needs a tokenizer.json, a SentencePiece file, a vocab.txt, a vocab.json with a merges.txt, a \
             tekken.json, or a GGUF file"
                .to_owned()
        }),
    };
    Ok(missing.with_hint(hint))
}

/// Returns the error for a `vocab.json` without its merges.
fn without_merges(files: &ModelFiles) -> Error {
    let what = match files.only() {
        Some(_) => "file of merges beside it",
        None => "merges.txt beside its vocab.json",
    };
    let merges = files.actual_name("merges.txt");
    let error = files.missing(what, &["merges.txt"]);
    error.with_hint(format!("put {merges} beside it"))
}

/// Returns the error for a vocabulary that is not read, because of the class.
fn of_vocabulary(files: &ModelFiles, name: &str, class: &Found) -> Error {
    let (problem, remedy) = match class {
        Found::Fast { name, .. } => (
            format!("a {name} is made only from a tokenizer.json, which the model does not have"),
            None,
        ),
        Found::Undeclared { reason } => (reason.clone(), Some(NAME_CLASS.to_owned())),
        Found::Unknown { reason, nearest } => {
            let remedy = nearest.map(|nearest| format!("did you mean {nearest}?"));
            (reason.clone(), remedy)
        }
        Found::Slow { reason, .. } => (reason.clone(), None),
    };
    let error = Error::unsupported(files.actual_name(name), problem);
    let alone = name.ends_with(".model").then(|| {
        format!(
            "name the file, as in `--model {}`, to read it as SentencePiece does",
            files.reference_to(name)
        )
    });
    match remedy.or(alone) {
        Some(hint) => error.with_hint(hint),
        None => error,
    }
}

/// Returns a hint that names a vocabulary among the files of a model, which is read if it is named.
fn other_vocabulary(files: &ModelFiles) -> Option<String> {
    if files.only().is_some() {
        return None;
    }
    let list = files.list().ok()?;
    let has = |name: &str| list.iter().any(|file| file.name == name);
    let is_vocabulary = |name: &str| match FileKind::of_name(name) {
        Some(FileKind::VocabTxt) => name.ends_with("vocab.txt"),
        Some(kind @ FileKind::VocabJson) => kind.merges(name).is_some_and(|merges| has(&merges)),
        // One of several: a single one would have been read.
        Some(FileKind::Gguf) => gguf_file::is_model(name),
        Some(kind) => kind.is_tokenizer(),
        None => false,
    };
    let file = list.iter().find(|file| is_vocabulary(&file.name))?;
    Some(format!(
        "it has {}: name that file, as in `--model {}`",
        file.name,
        files.reference_to(&file.name)
    ))
}
