//! Computes the tokenizer state that `lock` writes and `check` compares, and opens the locked model for `--locked`.

use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::input::ordered_parallel::map_in_parallel;
use super::lock_command;
use super::session::{ModelChoice, Session};
use crate::error::{Error, Exit, Result};
use crate::formats::lock_file::{
    LockFile, LockedEngine, LockedFile, LockedText, LockedToken, LockedVocabulary,
};
use crate::model_ref::ModelRef;
use crate::source::digest::hex;
use crate::source::read_limited;
use crate::source::{ModelFiles, Reading};
use crate::tokenizer::{
    EncodeOptions, TOKENIZERS_5_VERSION, TOKENIZERS_VERSION, TRANSFORMERS_5_VERSION,
    TRANSFORMERS_VERSION, Tokenizer,
};

/// The names of the files that say which others are read.
const SETTINGS: [&str; 2] = ["tokenizer_config.json", "config.json"];
/// The maximum size of a lock file, in bytes. Each locked text adds a few hundred bytes to its own length.
const MAX_LOCK_FILE: u64 = 64 << 20;

/// Freezes the files that determine a model's tokenizer, and returns their digests. A tokenizer that is opened from now
/// on is made of the bytes with these digests.
///
/// # Errors
/// Fails if a file cannot be found or read.
pub fn freeze(files: &mut ModelFiles) -> Result<Vec<LockedFile>> {
    let mut found: Vec<LockedFile> = Vec::new();
    for name in SETTINGS {
        files.freeze(name)?;
    }
    for name in Tokenizer::file_names(files)? {
        if let Some(file) = files.freeze(&name)? {
            found.push(LockedFile {
                name,
                size: file.len(),
                sha256: hex(&file.sha256().unwrap_or_default()),
            });
        }
    }
    Ok(found)
}

/// Returns the vocabulary for the lock file.
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

/// Encodes texts for the lock file.
///
/// # Errors
/// Fails if a text cannot be encoded.
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

/// Returns the engine for the lock file.
pub fn engine(tokenizer: &Tokenizer) -> LockedEngine {
    let (tokenizers, transformers) = match tokenizer.reading() {
        Reading::Transformers5 => (TOKENIZERS_5_VERSION, TRANSFORMERS_5_VERSION),
        Reading::Transformers4 | Reading::SentencePiece => {
            (TOKENIZERS_VERSION, TRANSFORMERS_VERSION)
        }
    };
    LockedEngine {
        name: tokenizer.engine().0.to_owned(),
        tokenizers: tokenizers.to_owned(),
        transformers: transformers.to_owned(),
    }
}

/// Reads the lock file that the command line names.
///
/// # Errors
/// Fails with [`Error::ReadInput`], or with [`Error::Usage`] if the file does not exist or is not a lock file.
pub fn read(session: &Session) -> Result<LockFile> {
    let path = session.model.lock_file;
    let name = path.display().to_string();
    match read_limited::read(path, MAX_LOCK_FILE) {
        Ok(bytes) => LockFile::parse(&name, &bytes).map_err(|problem| {
            // A damaged file still tells its model.
            let model =
                lock_command::chosen_model(session).or_else(|| LockFile::locked_name(&bytes));
            let lock = lock_command::command(session, "lock", model.as_deref(), &["--force"]);
            Error::usage_hint(problem, format!("run `{lock}` to write it again"))
        }),
        Err(source) if source.kind() == std::io::ErrorKind::NotFound => {
            let model = lock_command::chosen_model(session);
            let flags = lock_command::reading_flags(session);
            let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
            let lock = lock_command::command(session, "lock", model.as_deref(), &flags);
            Err(Error::usage_hint(
                format!("there is no lock file {name}"),
                format!("create it with `{lock}`"),
            ))
        }
        Err(source) => Err(Error::ReadInput {
            input: name,
            source,
        }),
    }
}

/// Returns the name of the model that a lock file locks, even if the rest of the file is damaged. Returns `None` if it is
/// no lock file.
///
/// # Errors
/// Fails with [`Error::ReadInput`].
pub fn locked_name(path: &Path) -> Result<Option<String>> {
    let read = read_limited::read(path, MAX_LOCK_FILE);
    let bytes = read.map_err(|source| Error::ReadInput {
        input: path.display().to_string(),
        source,
    })?;
    Ok(LockFile::locked_name(&bytes))
}

/// Returns true if a locked name is that of the model, at any revision.
pub fn is_same_model(locked: &str, model: &ModelRef) -> bool {
    match (locked.parse(), model) {
        (Ok(ModelRef::Hub(locked)), ModelRef::Hub(model)) => locked.id() == model.id(),
        (Ok(ModelRef::Directory(locked)), ModelRef::Directory(model)) => {
            let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
            real(&locked) == real(model)
        }
        (locked, model) => locked.is_ok_and(|locked| locked == *model),
    }
}

/// Returns the locked model, at the given revision of its repository if there is one.
///
/// # Errors
/// Fails with [`Error::BadModelRef`] if the model in the lock file is invalid, or with [`Error::Usage`] if it is a Hub
/// model without a commit.
pub fn model(lock: &LockFile, revision: Option<&str>) -> Result<ModelRef> {
    match revision {
        Some(revision) => {
            // Add `hf://`, because a local directory may have the same name as the repository.
            let model: ModelRef = format!("hf://{}", lock.model).parse()?;
            let model = model.with_revision(revision)?;
            match &lock.model_file {
                Some(file) => model.with_file(file),
                None => Ok(model),
            }
        }
        None => match lock.model.parse()? {
            ModelRef::Hub(model) => Err(Error::usage(format!(
                "the lock file names `{model}`, a model on the Hub, without a commit"
            ))),
            model => Ok(model),
        },
    }
}

/// Opens the locked model, at its commit if it is on the Hub. Its files must have the locked digests, and only the bytes
/// with these digests are used.
///
/// # Errors
/// Fails with [`Error::Usage`] if the command line names another model or the files differ.
pub fn open(session: &Session, choice: &ModelChoice) -> Result<ModelFiles> {
    let lock = read(session)?;
    let locked = model(&lock, lock.commit.as_deref())?;
    if choice.chosen {
        let requested = choice.model_ref()?;
        if !is_locked_model(&requested, &lock, &locked) {
            // Another revision of the same model is locked without force.
            let force = (!is_same_model(&lock.model, &requested)).then_some("--force");
            let name = requested.to_string();
            let lock = lock_command::command(session, "lock", Some(&name), force.as_slice());
            return Err(Error::usage_hint(
                format!(
                    "`{requested}` is requested, but {} locks `{locked}`",
                    session.model.lock_file.display()
                ),
                format!(
                    "drop `--model` and unset TOKSCOPE_MODEL, or lock that model with `{lock}`"
                ),
            ));
        }
    }
    if let Some(revision) = session.model.revision
        && ![&lock.revision, &lock.commit].contains(&&Some(revision.to_owned()))
    {
        return Err(Error::usage(format!(
            "`--revision {revision}` is requested, but {} locks `{locked}`",
            session.model.lock_file.display()
        )));
    }
    if let (Some(file), false) = (choice.file, choice.chosen)
        && lock.model_file.as_deref() != Some(file)
    {
        return Err(Error::usage(format!(
            "`--model-file {file}` is requested, but {} locks `{locked}`",
            session.model.lock_file.display()
        )));
    }
    let mut opened = as_locked(session, choice.reading, &lock, session.open(&locked)?)?;
    require_locked(session, &lock, &mut opened)?;
    Ok(opened)
}

/// Reads the files of the locked model as the lock file says: by which library, or the `tokenizer.json` as it stands.
///
/// # Errors
/// Fails with [`Error::Usage`] if the command line, or a configuration file, asks for something else.
pub fn as_locked(
    session: &Session,
    requested: Option<Reading>,
    lock: &LockFile,
    files: ModelFiles,
) -> Result<ModelFiles> {
    let reading = locked_reading(session, lock)?;
    if let Some(requested) = requested.filter(|requested| *requested != reading) {
        let model = lock_command::locked_model(lock);
        let flag = format!("--reading {}", requested.name());
        let again = lock_command::command(session, "lock", Some(&model), &[&flag]);
        return Err(Error::usage_hint(
            format!(
                "the reading {} is requested, but {} locks {}",
                requested.name(),
                session.model.lock_file.display(),
                reading.name()
            ),
            format!("ask for no reading, or lock the model with `{again}`"),
        ));
    }
    let files = files.read_as(reading);
    if session.model.as_is && !lock.as_is {
        let model = lock_command::locked_model(lock);
        let again = lock_command::command(session, "lock", Some(&model), &["--as-is"]);
        return Err(Error::usage_hint(
            format!(
                "`--as-is` is requested, but {} locks the tokenizer as its class makes it",
                session.model.lock_file.display()
            ),
            format!("drop `--as-is`, or lock the model with `{again}`"),
        ));
    }
    Ok(if lock.as_is { files.as_is() } else { files })
}

/// Returns the reading that a lock file locks.
fn locked_reading(session: &Session, lock: &LockFile) -> Result<Reading> {
    let Some(name) = &lock.reading else {
        return Ok(Reading::default());
    };
    Reading::from_name(name).ok_or_else(|| {
        let lock_file = session.model.lock_file.display();
        let problem =
            format!("{lock_file} locks the reading `{name}`, which this tokscope does not know");
        Error::usage(problem)
    })
}

/// Freezes the files of the locked model and checks that they are the locked ones.
///
/// # Errors
/// Fails with [`Error::Usage`] if they differ, or with an error of exit code 3 if a locked file cannot be fetched.
pub fn require_locked(session: &Session, lock: &LockFile, files: &mut ModelFiles) -> Result<()> {
    let differ = |files: &ModelFiles| {
        Error::usage_hint(
            format!(
                "the files of {} differ from those in {}",
                files.place(),
                session.model.lock_file.display()
            ),
            format!(
                "`{}` shows what changed",
                lock_command::command(session, "check", None, &[])
            ),
        )
    };
    let found = match freeze(files) {
        // A file of the Hub cache without the bytes that its name promises.
        Err(Error::DamagedCache { .. }) => return Err(differ(files)),
        found => found?,
    };
    require_known(files, lock, &found)?;
    // A lock file written by another version, or by hand, may list the files in another order.
    let has = |files: &[LockedFile], file| files.contains(file);
    let is_same = lock.files.iter().all(|file| has(&found, file))
        && found.iter().all(|file| has(&lock.files, file));
    if is_same { Ok(()) } else { Err(differ(files)) }
}

/// Checks that each locked file that was not found is known to be missing.
///
/// # Errors
/// Fails with an error of exit code 3 if the Hub would have to be asked for it.
pub fn require_known(files: &ModelFiles, lock: &LockFile, found: &[LockedFile]) -> Result<()> {
    for file in &lock.files {
        let absent = !found.iter().any(|other| other.name == file.name);
        match files.missing("locked file", &[&file.name]) {
            error if absent && error.exit() == Exit::Unreachable => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// Returns true if the requested model is the locked one. If it names a revision, that must be the locked revision or
/// commit.
fn is_locked_model(requested: &ModelRef, lock: &LockFile, locked: &ModelRef) -> bool {
    match (requested, locked) {
        (ModelRef::Hub(requested), ModelRef::Hub(locked)) => {
            let revision = requested.revision().map(str::to_owned);
            requested.id() == locked.id()
                && requested.file() == locked.file()
                && (revision.is_none() || [&lock.revision, &lock.commit].contains(&&revision))
        }
        (requested, locked) => requested == locked,
    }
}
