//! `models`: lists what the caches of this machine hold, and frees tokscope's own.

use clap::Args as ClapArgs;

use super::session::Session;
use crate::error::{Exit, Result};
use crate::record::{Cached, Record};
use crate::render::numbers::{quantity, thousands};
use crate::source::{AppCache, CachedItem, HubSettings, caches};

/// List the models in the caches of this machine, and free tokscope's own cache
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// Remove all files of tokscope's own cache; the Hub cache and other programs' files stay
    #[arg(long)]
    pub prune: bool,
}

/// Runs the command.
pub fn run(args: &Args, session: &mut Session) -> Result<Exit> {
    let lookup = |name: &str| std::env::var_os(name);
    let own = AppCache::from_env(lookup);
    if args.prune {
        let (files, bytes) = own.clear();
        let freed = format!(
            "{} removed, {} bytes freed",
            quantity(files, "file"),
            thousands(bytes)
        );
        session.note(&freed)?;
    }
    let mut items = caches::in_hub_cache(&HubSettings::from_process_env().cache_dir);
    items.extend(caches::in_app_cache(&own));
    items.extend(caches::in_tiktoken_cache(lookup));
    items.extend(caches::in_ollama_store(lookup));
    for item in items {
        session.emit(&Record::Cached(record(item)))?;
    }
    Ok(Exit::Done)
}

fn record(item: CachedItem) -> Cached {
    Cached {
        cache: item.cache,
        name: item.name,
        size: item.size,
        files: item.files,
        holds: item.holds,
        path: item.path.display().to_string(),
    }
}
