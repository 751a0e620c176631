//! The colors of the output.

use anstyle::{Ansi256Color, AnsiColor, Style as Ansi};

/// When to use color.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ColorChoice {
    /// As the environment says: never under `NO_COLOR`, anywhere under `FORCE_COLOR` or `CLICOLOR_FORCE`, and otherwise
    /// on a terminal, except under `CLICOLOR=0` or `TERM=dumb`.
    #[default]
    Auto,
    Always,
    Never,
}

impl ColorChoice {
    /// Returns true if a stream gets colors. `lookup` reads the environment.
    pub fn enabled(self, is_terminal: bool, lookup: impl Fn(&str) -> Option<String>) -> bool {
        // A blank variable counts as unset.
        let variable = |name: &str| lookup(name).filter(|value| !value.is_empty());
        let is_off = |value: &String| ["0", "false"].contains(&value.as_str());
        match self {
            Self::Always => return true,
            Self::Never => return false,
            Self::Auto => {}
        }
        if variable("NO_COLOR").is_some() {
            return false;
        }
        if let Some(force) = variable("FORCE_COLOR") {
            return !is_off(&force);
        }
        if variable("CLICOLOR_FORCE").is_some_and(|force| !is_off(&force)) {
            return true;
        }
        is_terminal
            && variable("CLICOLOR").is_none_or(|color| !is_off(&color))
            && variable("TERM").as_deref() != Some("dumb")
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
        // The least absolute value of each step, and its colors of the 256-color palette above and below 0. The first
        // step begins near 0, since few cosines of rows are far below it.
        const STEPS: [(f32, u8, u8); 5] = [
            (0.8, 33, 196),
            (0.6, 27, 160),
            (0.4, 20, 124),
            (0.2, 18, 88),
            (0.05, 17, 52),
        ];
        let reached = |(least, ..): &&(f32, u8, u8)| value.abs() + 1e-4 >= *least;
        let Some((_, above, below)) = STEPS.iter().find(reached) else {
            return text.to_owned();
        };
        let background = if value > 0.0 { *above } else { *below };
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
        let auto = |is_terminal, variables: &[(&str, &str)]| {
            let lookup = |name: &str| {
                let found = variables.iter().find(|variable| variable.0 == name);
                found.map(|variable| variable.1.to_owned())
            };
            ColorChoice::Auto.enabled(is_terminal, lookup)
        };
        assert!(auto(true, &[]));
        assert!(!auto(false, &[]));
        assert!(!auto(true, &[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")]));
        assert!(auto(false, &[("CLICOLOR_FORCE", "1")]));
        assert!(!auto(false, &[("CLICOLOR_FORCE", "0")]));
        assert!(!auto(true, &[("TERM", "dumb")]));
        assert!(!auto(true, &[("CLICOLOR", "0")]));
        assert!(auto(true, &[("CLICOLOR", "1")]));
        assert!(auto(false, &[("CLICOLOR", "0"), ("CLICOLOR_FORCE", "1")]));
        for force in ["1", "true", "3"] {
            let force = ("FORCE_COLOR", force);
            assert!(auto(false, &[force]));
            assert!(auto(false, &[force, ("TERM", "dumb")]));
            assert!(!auto(true, &[force, ("NO_COLOR", "1")]));
        }
        assert!(!auto(true, &[("FORCE_COLOR", "0")]));
        assert!(!auto(
            true,
            &[("FORCE_COLOR", "false"), ("CLICOLOR_FORCE", "1")]
        ));
        assert!(auto(true, &[("FORCE_COLOR", ""), ("NO_COLOR", "")]));
        let always = ColorChoice::Always;
        assert!(always.enabled(false, |name| (name == "NO_COLOR").then(|| "1".to_owned())));
    }

    #[test]
    fn cells_are_shaded_in_both_directions() {
        let style = Style::new(true);
        let background = |value: f32| {
            let painted = style.shade(value, "x");
            let (_, rest) = painted.split_once("48;5;")?;
            rest.split_once('m').map(|(color, _)| color.to_owned())
        };
        assert_eq!(
            [0.0, 0.04, -0.04, f32::NAN].map(background),
            [const { None }; 4]
        );
        let mut colors = Vec::new();
        for value in [0.05, 0.2, 0.4, 0.6, 0.8] {
            for value in [value, -value] {
                colors.push(background(value).unwrap());
            }
        }
        assert_eq!(background(1.0).as_ref(), colors.get(8));
        assert_eq!(background(-1.0).as_ref(), colors.get(9));
        colors.sort_unstable();
        colors.dedup();
        assert_eq!(colors.len(), 10);
    }
}
