//! What `lock` writes and `check` compares; and the model of the lock file, for every command under `--locked`.

use sha2::{Digest as _, Sha256};

use super::input::ordered_parallel::map_in_parallel;
use super::input::read_limited;
use super::session::Session;
use crate::error::{Error, Result};
use crate::formats::lock_file::{
    LockFile, LockedEngine, LockedFile, LockedText, LockedToken, LockedVocabulary, hex,
};
use crate::model_ref::ModelRef;
use crate::source::ModelFiles;
use crate::tokenizer::{EncodeOptions, TOKENIZERS_VERSION, TRANSFORMERS_VERSION, Tokenizer};

/// Bytes of a lock file; a text takes some hundred more than it has.
const MAX_LOCK: u64 = 64 << 20;

/// The names of the files that are locked, where a model has them.
fn names() -> impl Iterator<Item = &'static str> {
    Tokenizer::file_names().into_iter().chain(["config.json"])
}

/// The files that decide what a model's tokenizer does. Beside a `tokenizer.json`, `spm.model` does not.
///
/// # Errors
/// Whatever finding and reading them fails with.
pub fn files(files: &ModelFiles) -> Result<Vec<LockedFile>> {
    let mut found: Vec<LockedFile> = Vec::new();
    for name in names() {
        if name == "spm.model" && found.iter().any(|file| file.name == "tokenizer.json") {
            continue;
        }
        if let Some(file) = files.find(name)? {
            found.push(LockedFile {
                name: name.to_owned(),
                size: file.len(),
                sha256: hex(&Sha256::digest(file.read_all()?)),
            });
        }
    }
    Ok(found)
}

/// The vocabulary as it is locked.
pub fn vocabulary(tokenizer: &Tokenizer) -> LockedVocabulary {
    let vocabulary = tokenizer.vocabulary();
    let mut digest = Sha256::new();
    for entry in vocabulary.entries() {
        digest.update(entry.id.to_le_bytes());
        digest.update((entry.piece.len() as u64).to_le_bytes());
        digest.update(&entry.piece);
        let score = entry.score.map_or(0, f64::to_bits);
        digest.update(score.to_le_bytes());
        digest.update([u8::from(entry.special), u8::from(entry.added)]);
        digest.update(entry.kind.name());
    }
    let added = vocabulary.entries().iter().filter(|entry| entry.added);
    LockedVocabulary {
        size: vocabulary.size(),
        sha256: hex(&digest.finalize()),
        added_tokens: added
            .map(|entry| LockedToken {
                id: entry.id,
                token: entry.piece.clone(),
                special: entry.special,
            })
            .collect(),
    }
}

/// Texts as they are encoded now.
///
/// # Errors
/// Whatever encoding fails with.
pub fn texts(tokenizer: &Tokenizer, texts: Vec<&str>) -> Result<Vec<LockedText>> {
    let encoded = map_in_parallel(texts, |text| {
        let encoded = tokenizer.encode(text, None, &EncodeOptions::default())?;
        let encoding = encoded.into_first();
        Ok(LockedText {
            text: text.to_owned(),
            tokens: encoding.tokens.join(" "),
            ids: encoding.ids,
        })
    });
    encoded.into_iter().collect()
}

/// What encodes.
pub fn engine(tokenizer: &Tokenizer) -> LockedEngine {
    LockedEngine {
        name: tokenizer.engine().0.to_owned(),
        tokenizers: TOKENIZERS_VERSION.to_owned(),
        transformers: TRANSFORMERS_VERSION.to_owned(),
    }
}

/// Reads the lock file that the command line names.
///
/// # Errors
/// [`Error::ReadInput`], and [`Error::Usage`] if there is none or if it is not one.
pub fn read(session: &Session) -> Result<LockFile> {
    let path = session.model.lock_file;
    let name = path.display().to_string();
    match read_limited::read(path, MAX_LOCK) {
        Ok(bytes) => LockFile::parse(&name, &bytes),
        Err(source) if source.kind() == std::io::ErrorKind::NotFound => Err(Error::usage_hint(
            format!("there is no lock file {name}"),
            "`tokscope lock` writes it",
        )),
        Err(source) => Err(Error::ReadInput {
            input: name,
            source,
        }),
    }
}

/// The locked model, at a revision, or a commit, of its repository where it has one.
///
/// # Errors
/// [`Error::Usage`] if what the lock names cannot be locked, [`Error::BadModelRef`] if it is no model.
pub fn model(lock: &LockFile, revision: Option<&str>) -> Result<ModelRef> {
    match revision {
        // The name of a repository could be that of a directory here, too.
        Some(revision) => format!("hf://{}", lock.model)
            .parse::<ModelRef>()?
            .with_revision(revision),
        None => match lock.model.parse()? {
            ModelRef::Hub(model) => Err(Error::usage(format!(
                "the lock file names `{model}`, a model of the Hub, without a commit"
            ))),
            model => Ok(model),
        },
    }
}

/// The files of the locked model, exactly: those of its commit, or if it has none, files with the locked digests.
///
/// # Errors
/// [`Error::Usage`] if the command line names another model, or if the files are others.
pub fn open(session: &Session) -> Result<ModelFiles> {
    let lock = read(session)?;
    let said = session.model.model_ref()?;
    let locked = model(&lock, lock.commit.as_deref())?;
    if session.model.chosen && !is_of(&said, &lock, &locked) {
        return Err(Error::usage_hint(
            format!(
                "`{said}` is asked for, and {} locks `{locked}`",
                session.model.lock_file.display()
            ),
            "leave out `--model` and TOKSCOPE_MODEL, or lock that model with `tokscope lock`",
        ));
    }
    if let Some(revision) = session.model.revision
        && ![&lock.revision, &lock.commit].contains(&&Some(revision.to_owned()))
    {
        return Err(Error::usage(format!(
            "`--revision {revision}` is asked for, and {} locks `{locked}`",
            session.model.lock_file.display()
        )));
    }
    let opened = session.open(&locked)?;
    if lock.commit.is_none() && files(&opened)? != lock.files {
        return Err(Error::usage_hint(
            format!(
                "the files of {} are not those that {} locks",
                opened.place(),
                session.model.lock_file.display()
            ),
            "`tokscope check` says what changed",
        ));
    }
    Ok(opened)
}

/// Whether a model that was asked for is the locked one; its revision may be left out, or be the locked one.
fn is_of(said: &ModelRef, lock: &LockFile, locked: &ModelRef) -> bool {
    match (said, locked) {
        (ModelRef::Hub(said), ModelRef::Hub(locked)) => {
            let revision = said.revision().map(str::to_owned);
            said.id() == locked.id()
                && (revision.is_none() || [&lock.revision, &lock.commit].contains(&&revision))
        }
        (said, locked) => said == locked,
    }
}
