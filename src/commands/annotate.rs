//! `--annotate`, for commands that gate a CI job.

use clap::{Args, ValueEnum};

/// Which annotations to print.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct AnnotateArgs {
    /// Print annotations for the log of a CI system [default with --ci: github if GITHUB_ACTIONS is true]
    #[arg(long, value_enum, value_name = "SYSTEM")]
    pub annotate: Option<Annotate>,
}

/// The CI system that reads the annotations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Annotate {
    /// Workflow commands of GitHub Actions
    Github,
    None,
}

impl AnnotateArgs {
    /// Returns true if annotations for GitHub are asked for.
    pub fn is_github(self) -> bool {
        self.annotate == Some(Annotate::Github)
    }

    /// Returns true if annotations for GitHub are asked for, or are not excluded in a job of GitHub Actions.
    pub fn is_github_by_default(self) -> bool {
        let in_github_actions =
            || std::env::var("GITHUB_ACTIONS").is_ok_and(|value| value == "true");
        self.is_github() || (self.annotate.is_none() && in_github_actions())
    }
}
