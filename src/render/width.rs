//! The width of a terminal.

/// The width of the lines for people, in columns, if they are not written to a terminal or its width is not known.
pub const DEFAULT_WIDTH: usize = 80;

/// Returns the width of a terminal in columns, or `None` if the terminal does not tell.
#[cfg(unix)]
pub fn terminal_width(terminal: impl std::os::fd::AsFd) -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(terminal).ok()?;
    Some(usize::from(size.ws_col)).filter(|columns| *columns > 0)
}

/// Returns `None`: the width is not known.
#[cfg(not(unix))]
pub fn terminal_width<T>(_terminal: T) -> Option<usize> {
    None
}
