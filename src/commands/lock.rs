//! `lock`: writes the lock file, which records the files of a tokenizer and its encodings of sample texts.

use clap::Args as ClapArgs;

use super::input::stress_texts::{ExtraTexts, STRESS_TEXTS};
use super::lock_state;
use super::session::Session;
use crate::error::{Error, Exit, Result};
use crate::formats::lock_file::LockFile;
use crate::model_ref::ModelRef;
use crate::record::{Lock, Record};
use crate::source::output_file;

/// Write tokscope.lock: the commit, digests and encodings that `check` compares and `--locked` enforces
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(flatten)]
    pub texts: ExtraTexts,
    /// Replace the lock file of another model, or a file that is not a lock file
    #[arg(long)]
    pub force: bool,
}

/// Runs the command.
pub fn run(args: &Args, session: &mut Session) -> Result<Exit> {
    let extra = args.texts.read(session)?;
    let model = session.model.model_ref()?;
    if !args.force {
        check_replaceable(session, &model)?;
    }
    let mut files = session.open(&model)?;
    let locked_files = lock_state::freeze(&mut files)?;
    let tokenizer = session.tokenizer(&files)?;
    let mut texts = STRESS_TEXTS.to_vec();
    texts.extend(extra.iter().map(String::as_str));
    let lock = LockFile {
        model: files.model(),
        files: locked_files,
        commit: files.commit(),
        revision: match &model {
            ModelRef::Hub(model) => Some(model.revision().unwrap_or("main").to_owned()),
            _ => None,
        },
        model_file: match &model {
            ModelRef::Hub(model) => model.file().map(str::to_owned),
            _ => None,
        },
        as_is: session.model.as_is,
        reading: tokenizer.reading().recorded().map(str::to_owned),
        engine: lock_state::engine(&tokenizer),
        vocabulary: lock_state::vocabulary(&tokenizer),
        texts: lock_state::texts(&tokenizer, texts)?,
        ..LockFile::default()
    }
    .sealed();
    let bytes = lock.to_bytes()?;
    let path = session.model.lock_file;
    output_file::replace(path, |file| Ok(file.write_all(&bytes)?))?;
    session.emit(&Record::Lock(Lock {
        path: path.display().to_string(),
        model: lock.model,
        commit: lock.commit,
        files: lock.files.len(),
        vocabulary_size: lock.vocabulary.size,
        texts: lock.texts.len(),
        differences: None,
        reading: tokenizer.reading().recorded(),
    }))?;
    Ok(Exit::Done)
}

/// Checks that the lock file, if there is one, locks the model that is to be locked now.
///
/// # Errors
/// Fails with [`Error::Usage`] if it locks another model, or is not a lock file.
fn check_replaceable(session: &Session, model: &ModelRef) -> Result<()> {
    let path = session.model.lock_file;
    // Pipes and devices are written to, and have no content.
    let has_content = path
        .metadata()
        .is_ok_and(|metadata| metadata.is_file() && metadata.len() > 0);
    if !has_content {
        return Ok(());
    }
    let name = path.display();
    let (problem, remedy) = match lock_state::locked_name(path)? {
        Some(locked) if lock_state::is_same_model(&locked, model) => return Ok(()),
        Some(locked) => (
            format!("{name} locks `{locked}`, not `{model}`"),
            "write another one with `--lock-file FILE`, or replace it with `--force`",
        ),
        None => (
            format!("{name} is not a lock file"),
            "name another file with `--lock-file FILE`, or replace it with `--force`",
        ),
    };
    Err(Error::usage_hint(problem, remedy))
}
