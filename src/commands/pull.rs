//! `pull`: fetches the files of a model into the Hub cache.

use clap::Args as ClapArgs;

use super::lock_state;
use super::session::{ModelChoice, Session};
use crate::embedding::EmbeddingMatrix;
use crate::error::{Error, Exit, Result};
use crate::formats::checkpoint::ShardIndex;
use crate::formats::context_window::SENTENCE_BERT_CONFIG;
use crate::formats::gguf::model_file as gguf_file;
use crate::record::{File, Record};
use crate::source::{GgufShard, ModelFiles};
use crate::tokenizer::Tokenizer;

/// Fetch the files of a model into the Hub cache, at the newest commit of its revision
///
/// Cached files are verified in full, and damaged ones are fetched again.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// The model, as with --model
    #[arg(value_name = "REF")]
    pub repository: Option<String>,
    /// Also fetch the checkpoint
    #[arg(long)]
    pub weights: bool,
    /// Also fetch the embedding matrix, without the rest of the checkpoint, into tokscope's own cache
    #[arg(long, conflicts_with = "weights")]
    pub matrix: bool,
}

/// Runs the command.
pub fn run(args: &Args, session: &mut Session) -> Result<Exit> {
    let files = match &args.repository {
        Some(name) => session.files_of(&named(name, session.model)?)?,
        None => session.files()?,
    };
    let mut files = files.verified();
    files.refresh()?;
    let cached: Vec<String> = files
        .list()?
        .into_iter()
        .filter(|file| file.cached)
        .map(|file| file.name)
        .collect();
    let mut names = Tokenizer::file_names(&files)?;
    names.push(SENTENCE_BERT_CONFIG.to_owned());
    for name in names {
        fetch(session, &files, &cached, &name)?;
    }
    if session.model.locked {
        let lock = lock_state::read(session)?;
        lock_state::require_locked(session, &lock, &mut files)?;
    }
    if args.weights {
        fetch_checkpoint(session, &files, &cached)?;
    }
    if args.matrix {
        fetch_matrix(session, &files)?;
    }
    Ok(Exit::Done)
}

/// Returns the model that an argument names. The argument takes precedence over the environment.
///
/// # Errors
/// Fails with [`Error::Usage`] if `--model` names another one.
fn named<'n>(name: &'n str, choice: ModelChoice<'n>) -> Result<ModelChoice<'n>> {
    let variable = std::env::var("TOKSCOPE_MODEL");
    let is_flag = choice.chosen && variable.as_deref() != Ok(choice.name);
    if is_flag && choice.name != name {
        return Err(Error::usage(format!(
            "two models are named: `{name}`, and `{}` with `--model`",
            choice.name
        )));
    }
    Ok(ModelChoice {
        name,
        chosen: true,
        ..choice
    })
}

/// Fetches a file and emits its record. Returns false if the model has no file with this name.
fn fetch(session: &mut Session, files: &ModelFiles, cached: &[String], name: &str) -> Result<bool> {
    let Some(file) = files.find(name)? else {
        return Ok(false);
    };
    session.emit(&Record::File(File {
        model: files.model(),
        commit: files.commit(),
        name: name.to_owned(),
        tensor: None,
        size: file.len(),
        cached: cached.iter().any(|other| other == name),
    }))?;
    Ok(true)
}

/// Fetches the bytes of the matrix that are not yet on this machine.
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

/// Fetches the checkpoint that the row commands would read, with all its shards.
fn fetch_checkpoint(session: &mut Session, files: &ModelFiles, cached: &[String]) -> Result<()> {
    for name in EmbeddingMatrix::checkpoint_names() {
        if !fetch(session, files, cached, name)? {
            continue;
        }
        if name.ends_with(".json")
            && let Some(index) = files.find(name)?
        {
            let index = ShardIndex::parse(index.name(), &index.read_all()?)?;
            for shard in index.files() {
                if !fetch(session, files, cached, shard)? {
                    return Err(files.missing("shard that its index names", &[shard]));
                }
            }
        }
        return Ok(());
    }
    if let Some((name, _)) = gguf_file::find(files)? {
        let shards = GgufShard::parse(&name).map(|shard| shard.all().collect());
        for file in shards.unwrap_or_else(|| vec![name.clone()]) {
            if !fetch(session, files, cached, &file)? {
                return Err(files.missing("further shard of its GGUF file", &[&file]));
            }
        }
        return Ok(());
    }
    let names = ["model.safetensors", "pytorch_model.bin"];
    Err(files.missing("checkpoint that tokscope can read", &names))
}
