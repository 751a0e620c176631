//! Command lines for hints about lock files, which can be pasted as they are.

use std::fmt::Write as _;
use std::path::Path;

use super::session::Session;
use crate::formats::lock_file::{LOCK_FILE, LockFile};

/// Returns the model that the command line chooses, for [`command`].
pub fn chosen_model(session: &Session) -> Option<String> {
    let model = session.model.chosen.then(|| session.model.model_ref());
    Some(model?.ok()?.to_string())
}

/// Returns the model of a lock file with its branch, for [`command`].
pub fn locked_model(lock: &LockFile) -> String {
    match &lock.revision {
        Some(revision) => format!("{}@{revision}", lock.model),
        None => lock.model.clone(),
    }
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

/// Returns a value as a word of a POSIX shell, in single quotes if it needs any.
fn shell_word(value: &str) -> String {
    let is_plain = |char: char| char.is_alphanumeric() || "_-+=:,./@%".contains(char);
    if !value.is_empty() && value.chars().all(is_plain) {
        value.to_owned()
    } else {
        format!("'{}'", value.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_where_a_shell_would_read_them_otherwise() {
        for (value, word) in [
            ("a/b-c_1.lock", "a/b-c_1.lock"),
            ("niño.lock", "niño.lock"),
            ("my lock", "'my lock'"),
            ("~x", "'~x'"),
            ("a;b", "'a;b'"),
            ("it's", r"'it'\''s'"),
            ("", "''"),
        ] {
            assert_eq!(shell_word(value), word);
        }
    }

    #[test]
    fn a_value_that_looks_like_a_flag_is_attached() {
        let mut line = String::new();
        push_option(&mut line, "--lock-file", "-x y");
        assert_eq!(line, " --lock-file='-x y'");
    }
}
