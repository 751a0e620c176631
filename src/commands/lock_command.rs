//! Command lines for hints about lock files, which can be pasted as they are.

use std::fmt::Write as _;
use std::path::Path;

use super::session::Session;
use crate::error::shell_word;
use crate::formats::lock_file::{LOCK_FILE, LockFile};

/// Returns the model that the command line chooses, for [`command`].
pub fn chosen_model(session: &Session) -> Option<String> {
    let model = session.model.chosen.then(|| session.model.model_ref());
    Some(model?.ok()?.to_string())
}

/// Returns the model of a lock file with its branch, for [`command`].
pub fn locked_model(lock: &LockFile) -> String {
    match (&lock.revision, &lock.model_file) {
        (Some(revision), Some(file)) => format!("hf://{}@{revision}/{file}", lock.model),
        (Some(revision), None) => format!("{}@{revision}", lock.model),
        (None, _) => lock.model.clone(),
    }
}

/// Returns the flags of the command line that say how the files are read, for [`command`].
pub fn reading_flags(session: &Session) -> Vec<String> {
    let as_is = session.model.as_is.then(|| "--as-is".to_owned());
    let reading = session.model.reading;
    let reading = reading.map(|reading| format!("--reading {}", reading.name()));
    as_is.into_iter().chain(reading).collect()
}

/// Returns `tokscope lock` or the like with a model, the lock file unless it has the default name, and further flags.
pub fn command(session: &Session, verb: &str, model: Option<&str>, flags: &[&str]) -> String {
    let mut line = format!("tokscope {verb}");
    // A model that cannot be shown as it is cannot be pasted either.
    if let Some(model) = model.filter(|model| !model.contains(char::is_control)) {
        push_option(&mut line, "--model", model);
    }
    let lock_file = session.model.lock_file;
    if lock_file != Path::new(LOCK_FILE) {
        push_option(&mut line, "--lock-file", &lock_file.display().to_string());
    }
    for flag in flags {
        let _ = write!(line, " {flag}");
    }
    line
}

fn push_option(line: &mut String, name: &str, value: &str) {
    let separator = if value.starts_with('-') { '=' } else { ' ' };
    let _ = write!(line, " {name}{separator}{}", shell_word(value));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_looks_like_a_flag_is_attached() {
        let mut line = String::new();
        push_option(&mut line, "--lock-file", "-x y");
        assert_eq!(line, " --lock-file='-x y'");
    }
}
