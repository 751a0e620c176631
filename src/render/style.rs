//! The colors of the output.

use anstyle::{Ansi256Color, AnsiColor, Style as Ansi};

/// When to use color.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ColorChoice {
    /// On a terminal unless `NO_COLOR` or `TERM=dumb` is set, and anywhere if `CLICOLOR_FORCE` is set.
    #[default]
    Auto,
    Always,
    Never,
}

impl ColorChoice {
    /// Returns true if a stream gets colors. `lookup` reads the environment.
    pub fn enabled(self, is_terminal: bool, lookup: impl Fn(&str) -> Option<String>) -> bool {
        let set = |name: &str| lookup(name).is_some_and(|value| !value.is_empty());
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto if set("NO_COLOR") => false,
            Self::Auto
                if lookup("CLICOLOR_FORCE")
                    .is_some_and(|value| !value.is_empty() && value != "0") =>
            {
                true
            }
            Self::Auto => is_terminal && lookup("TERM").as_deref() != Some("dumb"),
        }
    }
}

/// The styles of a stream. All of them are plain if the stream has no colors.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    on: bool,
}

impl Style {
    pub fn new(on: bool) -> Self {
        Self { on }
    }

    /// Column headers and labels.
    pub fn head(self, text: &str) -> String {
        self.paint(Ansi::new().bold(), text)
    }

    /// Less important text: special tokens, units.
    pub fn dim(self, text: &str) -> String {
        self.paint(Ansi::new().dimmed(), text)
    }

    /// A token, in one of two alternating colors that set neighbors apart.
    pub fn token(self, index: usize, text: &str) -> String {
        let color = if index.is_multiple_of(2) {
            AnsiColor::Cyan
        } else {
            AnsiColor::Yellow
        };
        self.paint(color.on_default(), text)
    }

    /// A positive answer.
    pub fn good(self, text: &str) -> String {
        self.paint(AnsiColor::Green.on_default(), text)
    }

    /// The word "error", and negative answers.
    pub fn bad(self, text: &str) -> String {
        self.paint(AnsiColor::Red.on_default().bold(), text)
    }

    /// Words such as "hint" and "note".
    pub fn note(self, text: &str) -> String {
        self.paint(AnsiColor::Cyan.on_default(), text)
    }

    /// A cell of a matrix of numbers from -1 to 1. The background is blue above 0 and red below, and brighter towards
    /// the ends.
    pub fn shade(self, value: f32, text: &str) -> String {
        // Colors of the 256-color palette for absolute values from 0.2 on, in steps of 0.2.
        const ABOVE: [u8; 4] = [17, 18, 20, 33];
        const BELOW: [u8; 4] = [52, 88, 124, 160];
        let step = ((value.abs() * 5.0 + 1e-4) as usize).min(ABOVE.len());
        let Some(step) = step.checked_sub(1) else {
            return text.to_owned();
        };
        let background = if value > 0.0 {
            ABOVE[step]
        } else {
            BELOW[step]
        };
        let white = Ansi256Color(15).on(Ansi256Color(background));
        self.paint(white, text)
    }

    fn paint(self, style: Ansi, text: &str) -> String {
        if self.on {
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_decides_about_colours() {
        let env = |pairs: &'static [(&str, &str)]| {
            move |name: &str| {
                pairs
                    .iter()
                    .find(|pair| pair.0 == name)
                    .map(|pair| pair.1.to_owned())
            }
        };
        let auto = ColorChoice::Auto;
        assert!(auto.enabled(true, env(&[])));
        assert!(!auto.enabled(false, env(&[])));
        assert!(!auto.enabled(true, env(&[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")])));
        assert!(auto.enabled(false, env(&[("CLICOLOR_FORCE", "1")])));
        assert!(!auto.enabled(false, env(&[("CLICOLOR_FORCE", "0")])));
        assert!(!auto.enabled(true, env(&[("TERM", "dumb")])));
        assert!(ColorChoice::Always.enabled(false, env(&[("NO_COLOR", "1")])));
    }
}
