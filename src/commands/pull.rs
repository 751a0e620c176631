//! `pull`: the files of a model into the Hub cache.

use clap::Args as ClapArgs;

use super::session::Session;
use crate::embedding::EmbeddingMatrix;
use crate::error::{Exit, Result};
use crate::formats::checkpoint::ShardIndex;
use crate::record::{File, Record};
use crate::source::ModelFiles;
use crate::tokenizer::Tokenizer;

/// Fetch the files of a model into the Hub cache, and move its revision to the newest commit
///
/// Files that the cache holds are checked byte by byte, and fetched again where they are damaged.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// Fetch the checkpoint too
    #[arg(long)]
    pub weights: bool,
    /// Fetch the embedding matrix too, and of the checkpoint nothing but its headers and the matrix's bytes, which go to
    /// tokscope's own cache
    #[arg(long, conflicts_with = "weights")]
    pub matrix: bool,
}

/// Runs the command.
pub fn run(args: &Args, session: &mut Session) -> Result<Exit> {
    let mut files = session.files()?.verified();
    files.refresh()?;
    let here: Vec<String> = files
        .list()?
        .into_iter()
        .filter(|file| file.cached)
        .map(|file| file.name)
        .collect();
    let mut names: Vec<&str> = Tokenizer::file_names().to_vec();
    names.push("config.json");
    let mut found_tokenizer = false;
    for name in names {
        // spm.model is the tokenizer only where there is no tokenizer.json.
        if name == "spm.model" && found_tokenizer {
            continue;
        }
        let found = fetch(session, &files, &here, name)?;
        found_tokenizer |= found && name == "tokenizer.json";
    }
    if args.weights {
        fetch_checkpoint(session, &files, &here)?;
    }
    if args.matrix {
        fetch_matrix(session, &files)?;
    }
    Ok(Exit::Done)
}

/// Fetches a file and reports it; false if the model has none of that name.
fn fetch(session: &mut Session, files: &ModelFiles, here: &[String], name: &str) -> Result<bool> {
    let Some(file) = files.find(name)? else {
        return Ok(false);
    };
    session.emit(&Record::File(File {
        model: files.model(),
        commit: files.commit(),
        name: name.to_owned(),
        tensor: None,
        size: file.len(),
        cached: here.iter().any(|other| other == name),
    }))?;
    Ok(true)
}

/// Fetches the bytes of the matrix, unless they are here.
fn fetch_matrix(session: &mut Session, files: &ModelFiles) -> Result<()> {
    let matrix = EmbeddingMatrix::open(files)?;
    let before = files.fetched();
    matrix.make_local()?;
    session.emit(&Record::File(File {
        model: files.model(),
        commit: files.commit(),
        name: matrix.file().to_owned(),
        tensor: Some(matrix.tensor().to_owned()),
        size: matrix.size(),
        cached: files.fetched() == before,
    }))
}

/// Fetches the first checkpoint that the commands on rows would read, with every shard of it.
fn fetch_checkpoint(session: &mut Session, files: &ModelFiles, here: &[String]) -> Result<()> {
    for name in EmbeddingMatrix::checkpoint_names() {
        if !fetch(session, files, here, name)? {
            continue;
        }
        if name.ends_with(".json")
            && let Some(index) = files.find(name)?
        {
            let index = ShardIndex::parse(index.name(), &index.read_all()?)?;
            for shard in index.files() {
                if !fetch(session, files, here, shard)? {
                    return Err(files.missing("shard that its index names", shard));
                }
            }
        }
        return Ok(());
    }
    Err(files.missing("checkpoint that tokscope reads", "model.safetensors"))
}
