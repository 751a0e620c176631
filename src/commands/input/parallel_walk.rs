//! Processes the files of a walk on all threads and delivers the results in the order of the walk.

use std::fs;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread;

use super::file_walk::{FileWalk, WalkItem};
use super::found_file::FoundFile;
use super::meter::Meter;
use super::ordered_parallel::map_in_parallel;
use crate::commands::session::Session;
use crate::error::{Error, Result};

/// The number of files that are processed before the first of their results is delivered.
const FILES_PER_BATCH: usize = 256;
/// The maximum number of paths that are found but not yet processed.
const PATHS_AHEAD: usize = 1 << 16;

/// A step of a walk, with the result for a file.
pub enum Visit<T> {
    File(T),
    Stdin,
    /// A directory, or the target of a link, that cannot be read.
    Unreadable(String, Error),
}

/// Calls `work` with each file of a walk, on all threads and while the walk continues, and `each` with the results in
/// the order of the walk, on this thread. Passes the walk's notes to the session at their place in that order.
///
/// # Errors
/// Stops at the first error from `each`.
pub fn for_each_file<T: Send>(
    session: &mut Session,
    walk: &FileWalk,
    work: impl Fn(FoundFile) -> T + Sync,
    each: impl FnMut(&mut Session, Visit<T>) -> Result<()>,
) -> Result<()> {
    let (sender, items) = sync_channel(PATHS_AHEAD);
    let meter = session.meter.clone();
    if let Some(meter) = &meter {
        meter.expect(None);
    }
    let found = {
        let meter = meter.clone();
        move |item| match &meter {
            Some(meter) => expected(item, meter),
            None => item,
        }
    };
    let walked = || {
        if let Some(meter) = &meter {
            meter.walked();
        }
    };
    thread::scope(|scope| {
        let find = found.clone();
        let walking = thread::Builder::new().spawn_scoped(scope, move || {
            walk.for_each(|item| sender.send(find(item)).is_ok());
            walked();
        });
        let items: Box<dyn Iterator<Item = WalkItem>> = if walking.is_ok() {
            Box::new(items.into_iter())
        } else {
            // The system refuses a second thread, so the walk is done first.
            let mut all = Vec::new();
            walk.for_each(|item| {
                all.push(found(item));
                true
            });
            walked();
            Box::new(all.into_iter())
        };
        let work = |item| match item {
            WalkItem::File(file) => Ok(Visit::File(work(file))),
            WalkItem::Stdin => Ok(Visit::Stdin),
            WalkItem::Unreadable(path, error) => Ok(Visit::Unreadable(path, error)),
            WalkItem::Note(note) => Err(note),
        };
        // Owns the receiving end, so the walk stops when it returns.
        deliver(session, items, work, each)
    })
}

fn deliver<T: Send>(
    session: &mut Session,
    mut items: impl Iterator<Item = WalkItem>,
    work: impl Fn(WalkItem) -> Result<Visit<T>, String> + Sync,
    mut each: impl FnMut(&mut Session, Visit<T>) -> Result<()>,
) -> Result<()> {
    loop {
        let batch: Vec<WalkItem> = items.by_ref().take(FILES_PER_BATCH).collect();
        if batch.is_empty() {
            return Ok(());
        }
        for visited in map_in_parallel(batch, &work) {
            match visited {
                Ok(visit) => each(session, visit)?,
                Err(note) => session.note(&note)?,
            }
        }
    }
}

/// Announces a file to the meter.
fn expected(item: WalkItem, meter: &Arc<Meter>) -> WalkItem {
    match item {
        WalkItem::File(file) => {
            let size = fs::metadata(&file.path).map_or(0, |metadata| metadata.len());
            meter.found_file(size);
            WalkItem::File(FoundFile {
                meter: Some((Arc::clone(meter), size)),
                ..file
            })
        }
        other => other,
    }
}
