//! The topic of a command: what its help says besides its flags.

use std::fmt::Write as _;

/// A group of commands in the help of the program.
#[derive(Debug)]
pub struct Group {
    pub title: &'static str,
    pub topics: &'static [Topic],
}

/// The topic of one command.
#[derive(Debug)]
pub struct Topic {
    /// The name of the command.
    pub command: &'static str,
    pub examples: &'static [Example],
    /// The meaning of exit code 0.
    pub done: &'static str,
    /// The meaning of exit code 1, if the command has negative answers.
    pub negative: Option<&'static str>,
    /// True if the command opens a model, which may be out of reach or damaged.
    pub opens_model: bool,
}

/// A command line.
#[derive(Debug)]
pub struct Example {
    pub line: &'static str,
    pub meaning: &'static str,
}

impl Topic {
    /// Returns the exit codes with their meanings.
    pub fn exit_codes(&self) -> Vec<(u8, &'static str)> {
        let mut codes = vec![(0, self.done)];
        codes.extend(self.negative.map(|negative| (1, negative)));
        codes.push((2, "wrong usage, or input that cannot be used"));
        if self.opens_model {
            codes.push((3, "the model is out of reach"));
            codes.push((4, "a file of the model is damaged or not supported"));
        }
        codes
    }

    /// Returns the end of the command's help.
    pub fn after_help(&self) -> String {
        let mut text = "Examples:".to_owned();
        for Example { line, meaning } in self.examples {
            let _ = write!(text, "\n  {line}\n      {meaning}");
        }
        text.push_str("\n\nExit codes:");
        for (code, meaning) in self.exit_codes() {
            let _ = write!(text, "\n  {code}  {meaning}");
        }
        text
    }
}
