//! Expands `~` and `$NAME` in the path of a variable, as Python does for huggingface_hub.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::source::local::read_limited;

/// The maximum size of the list of users, in bytes.
const MAX_USERS: u64 = 16 << 20;

/// Expands a path like `os.path.expandvars(os.path.expanduser(path))`: first `~` or `~user` at its start, then `$NAME`
/// and `${NAME}`. The name of a user or variable that does not exist stays, and so does a path that is not UTF-8.
///
/// Users are looked up in `/etc/passwd` only.
pub(crate) fn expand(
    path: OsString,
    home: &Path,
    lookup: impl Fn(&str) -> Option<OsString>,
) -> PathBuf {
    let Some(text) = path.to_str() else {
        return path.into();
    };
    let with_home = expand_home(text, home, home_of);
    match with_home.to_str() {
        Some(text) => expand_variables(text, lookup).into(),
        None => with_home.into(),
    }
}

fn expand_home(path: &str, home: &Path, home_of: impl Fn(&str) -> Option<PathBuf>) -> OsString {
    let Some(rest) = path.strip_prefix('~') else {
        return path.into();
    };
    let (user, rest) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let home = match user {
        "" => Some(home.to_owned()),
        user => home_of(user),
    };
    let Some(home) = home else {
        return path.into();
    };
    let mut expanded = match home.to_str() {
        Some(home) => home.trim_end_matches('/').into(),
        None => home.into_os_string(),
    };
    expanded.push(rest);
    if expanded.is_empty() {
        expanded.push("/");
    }
    expanded
}

/// Returns the home of a user of this machine; `None` if the list of users does not name one.
fn home_of(user: &str) -> Option<PathBuf> {
    let users = read_limited::read(Path::new("/etc/passwd"), MAX_USERS).ok()?;
    home_in(&String::from_utf8_lossy(&users), user)
}

/// Returns the home of a user in a list whose lines have the name, a password, two numbers, the full name, and the home.
fn home_in(users: &str, user: &str) -> Option<PathBuf> {
    let mut lines = users.lines().map(|line| line.split(':'));
    let mut fields = lines.find(|fields| fields.clone().next() == Some(user))?;
    fields.nth(5).map(PathBuf::from)
}

fn expand_variables(path: &str, lookup: impl Fn(&str) -> Option<OsString>) -> OsString {
    let mut expanded = OsString::new();
    let mut rest = path;
    while let Some(at) = rest.find('$') {
        let (before, from_dollar) = rest.split_at(at);
        expanded.push(before);
        let (name, reference) = variable(from_dollar);
        match lookup(name).filter(|_| !name.is_empty()) {
            Some(value) => expanded.push(value),
            None => expanded.push(reference),
        }
        rest = &from_dollar[reference.len()..];
    }
    expanded.push(rest);
    expanded
}

/// Returns the name of the variable at the start of a text, and the text that refers to it, `$NAME` or `${NAME}`. Without
/// a name, the latter is the dollar sign.
fn variable(text: &str) -> (&str, &str) {
    let name = &text[1..];
    if let Some(braced) = name.strip_prefix('{')
        && let Some(end) = braced.find('}')
    {
        return (&braced[..end], &text[..end + 3]);
    }
    let is_end = |c: char| !(c.is_ascii_alphanumeric() || c == '_');
    let end = name.find(is_end).unwrap_or(name.len());
    (&name[..end], &text[..end + 1])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values were made with Python 3.11: `os.path.expandvars(os.path.expanduser(path))`.
    #[test]
    fn paths_are_expanded_as_python_does() {
        let variables = [("HOME", "/h/ann"), ("X", "x"), ("É", "é"), ("D", "$X~")];
        let lookup = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| OsString::from(value))
        };
        for (given, expanded) in [
            ("/a/b", "/a/b"),
            ("~", "/h/ann"),
            ("~/", "/h/ann/"),
            ("~/a", "/h/ann/a"),
            ("a/~", "a/~"),
            ("~nobody-has-this-name/a", "~nobody-has-this-name/a"),
            ("$HOME/x", "/h/ann/x"),
            ("${HOME}x", "/h/annx"),
            ("$HOMEx", "$HOMEx"),
            ("$X$X/${X}", "xx/x"),
            ("$NONE/${NONE}", "$NONE/${NONE}"),
            ("$", "$"),
            ("$$X", "$x"),
            ("a$/b", "a$/b"),
            ("${X", "${X"),
            ("${}a", "${}a"),
            ("$Xé", "xé"),
            ("$É", "$É"),
            ("${É}", "é"),
            ("$D", "$X~"),
            ("$X~", "x~"),
        ] {
            let path = expand(given.into(), Path::new("/h/ann"), lookup);
            assert_eq!(path, Path::new(expanded), "{given}");
        }
        assert_eq!(expand("~".into(), Path::new("/"), lookup), Path::new("/"));
    }

    #[test]
    fn the_home_of_a_user_is_the_sixth_field_of_the_list() {
        let users = "# ann:x:0:0::/comment:\n\nanna:x:1:1::/h/anna:/bin/sh\nann:x:2:2:Ann:/h/ann\nbob:x:3:3\n";
        for (given, expanded) in [
            ("~ann", "/h/ann"),
            ("~anna/a", "/h/anna/a"),
            ("~an/a", "~an/a"),
            ("~bob/a", "~bob/a"),
        ] {
            let path = expand_home(given, Path::new("/h/eve"), |user| home_in(users, user));
            assert_eq!(path, expanded, "{given}");
        }
    }
}
