//! The commands. Each has a file or folder with its `Args`, a pure function that computes its records, and `run`.
//!
//! To add a command, write its file and list it in three places here: as a module, as a variant of [`Command`], and in
//! [`Command::run`].
//!
//! Some modules are shared: [`session`] is the context that a command runs in, [`model`] opens its model, [`input`]
//! reads its texts, and [`row_selection`] resolves its `--id` and `--piece`.

pub mod annotate;
pub mod chat;
pub mod check;
pub mod chunk;
pub mod complete;
pub mod completions;
pub mod contradictions;
pub mod convert;
pub mod count;
pub mod decode;
pub mod diff;
pub mod embed;
pub mod grep;
pub mod head;
pub mod info;
pub mod input;
pub mod lock;
pub mod lock_command;
pub mod lock_state;
pub mod man;
pub mod model;
pub mod models;
pub mod neighbors;
pub mod number_ranges;
pub mod operand;
pub mod other_readings;
mod other_tools;
mod piece_order;
pub mod pull;
pub mod relative_path;
pub mod row_output;
pub mod row_selection;
pub mod session;
pub mod similarity;
pub mod split;
pub mod stats;
pub mod tail;
pub mod tokenize;
mod topic;
pub mod topics;
mod value_enums;
mod vector_words;
pub mod verify;
pub mod vocab;

use clap::Subcommand;

use crate::error::{Exit, Result};
use session::Session;

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    // Words that others use for these commands, and that are more like the opposite command in spelling.
    #[command(alias = "encode")]
    Tokenize(tokenize::Args),
    #[command(alias = "detokenize")]
    Decode(decode::Args),
    Count(count::Args),
    Chat(chat::Args),
    Info(info::Args),
    Vocab(vocab::Args),
    Embed(embed::Args),
    Diff(diff::Args),
    #[command(alias = "neighbours")]
    Neighbors(neighbors::Args),
    Similarity(similarity::Args),
    Stats(stats::Args),
    Models(models::Args),
    Pull(pull::Args),
    Verify(verify::Args),
    Grep(grep::Args),
    Lock(lock::Args),
    Check(check::Args),
    Chunk(chunk::Args),
    Head(head::Args),
    Tail(tail::Args),
    Convert(convert::Args),
    Completions(completions::Args),
    #[command(name = "__complete", hide = true)]
    Complete(complete::Args),
    Man(man::Args),
}

impl Command {
    /// Runs the command and returns its exit code.
    pub fn run(&self, session: &mut Session) -> Result<Exit> {
        match self {
            Self::Tokenize(args) => tokenize::run(args, session),
            Self::Decode(args) => decode::run(args, session),
            Self::Chat(args) => chat::run(args, session),
            Self::Count(args) => count::run(args, session),
            Self::Info(args) => info::run(args, session),
            Self::Vocab(args) => vocab::run(args, session),
            Self::Embed(args) => embed::run(args, session),
            Self::Diff(args) => diff::run(args, session),
            Self::Neighbors(args) => neighbors::run(args, session),
            Self::Similarity(args) => similarity::run(args, session),
            Self::Stats(args) => stats::run(args, session),
            Self::Models(args) => models::run(args, session),
            Self::Pull(args) => pull::run(args, session),
            Self::Verify(args) => verify::run(args, session),
            Self::Grep(args) => grep::run(args, session),
            Self::Lock(args) => lock::run(args, session),
            Self::Check(args) => check::run(args, session),
            Self::Chunk(args) => chunk::run(args, session),
            Self::Head(args) => head::run(args, session),
            Self::Tail(args) => tail::run(args, session),
            Self::Convert(args) => convert::run(args, session),
            Self::Completions(args) => completions::run(args, session),
            Self::Complete(args) => complete::run(args, session),
            Self::Man(args) => man::run(args, session),
        }
    }
}
