//! Quotes words for the commands that hints and notes suggest.

use std::borrow::Cow;

/// The characters, beside letters and digits, that mean nothing to a POSIX shell anywhere in a word.
const PLAIN: &str = "-_./,:+@%…";

/// Returns a word as a POSIX shell must be given it: in single quotes if it has a character that means something there.
pub(crate) fn shell_word(word: &str) -> Cow<'_, str> {
    let is_plain = |char: char| char.is_alphanumeric() || PLAIN.contains(char);
    if !word.is_empty() && word.chars().all(is_plain) {
        Cow::Borrowed(word)
    } else {
        Cow::Owned(format!("'{}'", word.replace('\'', r"'\''")))
    }
}

/// Returns a path as an argument of a command, which must not take it for a flag.
pub(crate) fn shell_path(path: &str) -> String {
    let place = if path.starts_with('-') { "./" } else { "" };
    shell_word(&format!("{place}{path}")).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_quoted_if_the_shell_would_change_it() {
        for plain in [
            "notes.txt",
            "a/b-c_d",
            "año.txt",
            "C:x",
            "v1.0+2",
            "meta.text",
        ] {
            assert_eq!(shell_word(plain), plain);
        }
        for (word, quoted) in [
            ("my file.txt", "'my file.txt'"),
            ("it's.zip", r"'it'\''s.zip'"),
            ("", "''"),
            ("$(rm x)", "'$(rm x)'"),
            ("a`b`", "'a`b`'"),
            ("*.txt", "'*.txt'"),
            ("~x", "'~x'"),
            ("a=b", "'a=b'"),
            ("a\u{a0}b", "'a\u{a0}b'"),
        ] {
            assert_eq!(shell_word(word), quoted);
        }
    }

    #[test]
    fn a_path_is_no_flag() {
        assert_eq!(shell_path("-x.gz"), "./-x.gz");
        assert_eq!(shell_path("- x"), "'./- x'");
        assert_eq!(shell_path("a-x"), "a-x");
    }
}
