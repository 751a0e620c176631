//! `lock`: writes the lock file, which records the files of a tokenizer and its encodings of sample texts.

use clap::Args as ClapArgs;

use super::input::stress_texts::{ExtraTexts, STRESS_TEXTS};
use super::lock_state;
use super::session::Session;
use crate::error::{Exit, Result};
use crate::formats::lock_file::LockFile;
use crate::model_ref::ModelRef;
use crate::record::{Lock, Record};
use crate::source::output_file;

/// Write tokscope.lock: the commit, digests and encodings that `check` compares and `--locked` enforces
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(flatten)]
    pub texts: ExtraTexts,
}

/// Runs the command.
pub fn run(args: &Args, session: &mut Session) -> Result<Exit> {
    let extra = args.texts.read(session)?;
    let model = session.model.model_ref()?;
    let files = session.open(&model)?;
    let tokenizer = session.tokenizer(&files)?;
    let mut texts = STRESS_TEXTS.to_vec();
    texts.extend(extra.iter().map(String::as_str));
    let lock = LockFile {
        model: files.model(),
        files: lock_state::files(&files)?,
        commit: files.commit(),
        revision: match &model {
            ModelRef::Hub(model) => Some(model.revision().unwrap_or("main").to_owned()),
            ModelRef::Demo | ModelRef::Directory(_) => None,
        },
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
    }))?;
    Ok(Exit::Done)
}
