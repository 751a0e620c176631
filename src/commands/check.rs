//! `check`: whether everything is still as `lock` wrote it down, and if not, what changed.

use clap::Args as ClapArgs;

use super::lock_state;
use super::session::Session;
use super::verify::ShowArgs;
use crate::error::{Error, Exit, Result};
use crate::formats::lock_file::{LockFile, LockedEngine, LockedFile, LockedText, LockedVocabulary};
use crate::record::{Drift, Lock, Record};
use crate::source::ModelFiles;
use crate::tokenizer::Tokenizer;

/// Compare the model with tokscope.lock; exit 1 if a file, the vocabulary or the ids of a text changed, or a branch moved
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(flatten)]
    pub show: ShowArgs,
}

/// What differs between locked files and those that are there.
pub fn of_files(locked: &[LockedFile], found: &[LockedFile]) -> Vec<Drift> {
    let mut drifts = Vec::new();
    for file in locked {
        let name = &file.name;
        let drift = |message: String| Drift {
            kind: "file",
            name: Some(name.clone()),
            locked: Some(file.sha256.clone()),
            message,
            ..Drift::default()
        };
        match found.iter().find(|other| other.name == *name) {
            Some(other) if other.sha256 == file.sha256 => {}
            Some(other) => drifts.push(Drift {
                found: Some(other.sha256.clone()),
                ..drift(format!(
                    "{name} changed: {} bytes with sha256 {}… were locked, and {} bytes with {}… are there",
                    file.size,
                    short(&file.sha256),
                    other.size,
                    short(&other.sha256)
                ))
            }),
            None => drifts.push(drift(format!("{name} was locked, and is missing"))),
        }
    }
    for file in found {
        if !locked.iter().any(|other| other.name == file.name) {
            drifts.push(Drift {
                kind: "file",
                name: Some(file.name.clone()),
                found: Some(file.sha256.clone()),
                message: format!("{} is new", file.name),
                ..Drift::default()
            });
        }
    }
    drifts
}

/// What differs between vocabularies: the size, added tokens by name, and any piece or score.
pub fn of_vocabulary(locked: &LockedVocabulary, found: &LockedVocabulary) -> Vec<Drift> {
    if locked == found {
        return Vec::new();
    }
    let message = match (locked.size, found.size) {
        (size, other) if size != other => {
            format!("the vocabulary had {size} pieces, and has {other}")
        }
        (size, _) => format!("pieces or scores among the {size} of the vocabulary changed"),
    };
    let mut drifts = vec![Drift {
        kind: "vocabulary",
        locked: Some(locked.sha256.clone()),
        found: Some(found.sha256.clone()),
        message,
        ..Drift::default()
    }];
    let mut ids: Vec<u32> = [locked, found]
        .iter()
        .flat_map(|vocabulary| vocabulary.added_tokens.iter().map(|token| token.id))
        .collect();
    ids.sort_unstable();
    ids.dedup();
    for id in ids {
        let of = |vocabulary: &LockedVocabulary| {
            let token = vocabulary.added_tokens.iter().find(|token| token.id == id);
            token.cloned()
        };
        let (old, new) = (of(locked), of(found));
        let message = match (&old, &new) {
            (old, new) if old == new => continue,
            (Some(old), None) => format!("added token {id} `{}` is gone", old.token),
            (None, Some(new)) => format!("added token {id} `{}` is new", new.token),
            (Some(old), Some(new)) if old.token != new.token => {
                format!(
                    "added token {id} was `{}`, and is `{}`",
                    old.token, new.token
                )
            }
            (Some(old), _) => format!(
                "added token {id} `{}` was {}special, and now is the opposite",
                old.token,
                if old.special { "" } else { "not " }
            ),
            (None, None) => continue,
        };
        drifts.push(Drift {
            kind: "added-token",
            name: Some(id.to_string()),
            locked: old.map(|token| token.token),
            found: new.map(|token| token.token),
            message,
            ..Drift::default()
        });
    }
    drifts
}

/// What differs between versions of the reference.
pub fn of_engine(locked: &LockedEngine, found: &LockedEngine) -> Vec<Drift> {
    let versions = [
        ("tokenizers", &locked.tokenizers, &found.tokenizers),
        ("transformers", &locked.transformers, &found.transformers),
    ];
    let drifts = versions.into_iter().filter(|(_, old, new)| old != new);
    drifts
        .map(|(name, old, new)| Drift {
            kind: "engine",
            name: Some(name.to_owned()),
            locked: Some(old.clone()),
            found: Some(new.clone()),
            message: format!("the reference was {name} {old} when it was locked, and is {new}"),
            ..Drift::default()
        })
        .collect()
}

/// Texts that are encoded differently.
pub fn of_texts(locked: &[LockedText], found: &[LockedText]) -> Vec<Drift> {
    let texts = locked
        .iter()
        .zip(found)
        .filter(|(old, new)| old.ids != new.ids);
    texts
        .map(|(old, new)| Drift {
            kind: "text",
            name: Some(old.text.clone()),
            locked: Some(old.tokens.clone()),
            found: Some(new.tokens.clone()),
            locked_ids: Some(old.ids.clone()),
            found_ids: Some(new.ids.clone()),
            message: format!(
                "a text of {} bytes is tokenized differently",
                old.text.len()
            ),
        })
        .collect()
}

fn short(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}

/// The model to compare: the locked one, at the commit that its revision is now, with what differs in that; or another
/// one that the command line names.
fn open(session: &mut Session, lock: &LockFile) -> Result<(ModelFiles, Vec<Drift>)> {
    if session.model.chosen {
        let model = session.model.model_ref()?;
        return Ok((session.open(&model)?, Vec::new()));
    }
    if let Some(revision) = session.model.revision {
        let model = lock_state::model(lock, Some(revision))?;
        return Ok((session.open(&model)?, Vec::new()));
    }
    let Some(commit) = &lock.commit else {
        return Ok((session.open(&lock_state::model(lock, None)?)?, Vec::new()));
    };
    let at = |revision: &str| lock_state::model(lock, Some(revision));
    let revision = lock.revision.as_ref().unwrap_or(commit);
    let mut now = Some(commit.clone());
    let mut message = None;
    if revision != commit {
        let files = session.open(&at(revision)?)?;
        now = match files.newest_commit() {
            Ok(newest) => newest.or_else(|| files.commit()),
            Err(Error::HubUnreachable { problem, .. }) => {
                session.note(&format!(
                    "cannot ask the Hub whether {revision} of `{}` has moved ({problem})",
                    lock.model
                ))?;
                files.commit()
            }
            Err(Error::RevisionNotFound { .. }) => {
                message = Some(format!("`{}` has no {revision} any more", lock.model));
                None
            }
            Err(error) => return Err(error),
        };
    }
    let moved = now.as_ref().filter(|now| *now != commit);
    if let Some(now) = moved {
        message = Some(format!(
            "{revision} has moved: {} was locked, and it is {}",
            short(commit),
            short(now)
        ));
    }
    let drift = message.map(|message| Drift {
        kind: "revision",
        name: Some(revision.clone()),
        locked: Some(commit.clone()),
        found: moved.cloned(),
        message,
        ..Drift::default()
    });
    let files = session.open(&at(moved.unwrap_or(commit))?)?;
    Ok((files, drift.into_iter().collect()))
}

/// Runs the command.
pub fn run(args: &Args, session: &mut Session) -> Result<Exit> {
    let lock = lock_state::read(session)?;
    let (files, mut drifts) = open(session, &lock)?;
    let found = lock_state::files(&files)?;
    for file in &lock.files {
        // A file that nobody can tell of is not one that is missing.
        let absent = !found.iter().any(|other| other.name == file.name);
        match files.missing("locked file", &file.name) {
            error if absent && error.exit() == Exit::Unreachable => return Err(error),
            _ => {}
        }
    }
    drifts.extend(of_files(&lock.files, &found));
    let compare = |files: &ModelFiles| -> Result<(usize, Vec<Drift>)> {
        let tokenizer: Tokenizer = session.tokenizer(files)?;
        let vocabulary = lock_state::vocabulary(&tokenizer);
        let mut drifts = of_vocabulary(&lock.vocabulary, &vocabulary);
        drifts.extend(of_engine(&lock.engine, &lock_state::engine(&tokenizer)));
        let texts = lock.texts.iter().map(|text| text.text.as_str()).collect();
        drifts.extend(of_texts(
            &lock.texts,
            &lock_state::texts(&tokenizer, texts)?,
        ));
        Ok((vocabulary.size, drifts))
    };
    let vocabulary_size = match compare(&files) {
        Ok((size, more)) => {
            drifts.extend(more);
            size
        }
        // The files that changed are why.
        Err(error) if !drifts.is_empty() => {
            drifts.push(Drift {
                kind: "tokenizer",
                message: format!("there is no tokenizer any more: {error}"),
                ..Drift::default()
            });
            0
        }
        Err(error) => return Err(error),
    };
    let differences = drifts.len();
    let mut texts = 0;
    for drift in drifts {
        texts += usize::from(drift.kind == "text");
        if drift.kind != "text" || texts <= args.show.show {
            session.emit(&Record::Drift(drift))?;
        }
    }
    session.emit(&Record::Check(Lock {
        path: session.model.lock_file.display().to_string(),
        model: files.model(),
        commit: files.commit(),
        files: found.len(),
        vocabulary_size,
        texts: lock.texts.len(),
        differences: Some(differences),
    }))?;
    Ok(match differences {
        0 => Exit::Done,
        _ => Exit::Negative,
    })
}
