//! `check`: compares a model with the lock file and reports what changed.

use clap::Args as ClapArgs;

use super::annotate::AnnotateArgs;
use super::lock_state;
use super::relative_path::in_repository;
use super::session::Session;
use super::verify::ShowArgs;
use crate::error::{Error, Exit, Result};
use crate::formats::lock_file::{LockFile, LockedEngine, LockedFile, LockedText, LockedVocabulary};
use crate::record::{Drift, Lock, Record};
use crate::render::Annotation;
use crate::render::numbers::{quantity, thousands};
use crate::source::ModelFiles;

/// Compare the model with tokscope.lock; exit 1 if a file, the vocabulary, the ids of a text, or the branch changed
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(flatten)]
    pub show: ShowArgs,
    #[command(flatten)]
    pub annotate: AnnotateArgs,
}

/// Compares the locked files with the current ones.
pub fn diff_files(locked: &[LockedFile], found: &[LockedFile]) -> Vec<Drift> {
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
                    "{name} changed: {} with sha256 {}… were locked, but it now has {} with {}…",
                    quantity(file.size, "byte"),
                    short(&file.sha256),
                    quantity(other.size, "byte"),
                    short(&other.sha256)
                ))
            }),
            None => drifts.push(drift(format!("{name} was locked but is now missing"))),
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

/// Compares the vocabularies. Reports one drift for the vocabulary as a whole, and one for each added token that
/// changed.
pub fn diff_vocabulary(locked: &LockedVocabulary, found: &LockedVocabulary) -> Vec<Drift> {
    if locked == found {
        return Vec::new();
    }
    let message = match (locked.size, found.size) {
        (size, other) if size != other => {
            let (size, other) = (quantity(size as u64, "piece"), thousands(other as u64));
            format!("the vocabulary had {size}, and has {other}")
        }
        (size, _) => {
            let size = thousands(size as u64);
            format!("some of the {size} pieces, scores or flags changed")
        }
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
        let added_token = |vocabulary: &LockedVocabulary| {
            let token = vocabulary.added_tokens.iter().find(|token| token.id == id);
            token.cloned()
        };
        let (old, new) = (added_token(locked), added_token(found));
        let message = match (&old, &new) {
            (old, new) if old == new => continue,
            (Some(old), None) => format!("added token {id} `{}` is gone", old.token),
            (None, Some(new)) => format!("added token {id} `{}` is new", new.token),
            (Some(old), Some(new)) if old.token != new.token => {
                format!(
                    "added token {id} was `{}`, and is now `{}`",
                    old.token, new.token
                )
            }
            (Some(old), _) => format!(
                "added token {id} `{}` was {}special, and is now the opposite",
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

/// Compares the versions of the reference.
pub fn diff_engine(locked: &LockedEngine, found: &LockedEngine) -> Vec<Drift> {
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
            message: format!("the reference was {name} {old} when locked, and is now {new}"),
            ..Drift::default()
        })
        .collect()
}

/// Returns a drift for each text that is encoded differently.
pub fn diff_texts(locked: &[LockedText], found: &[LockedText]) -> Vec<Drift> {
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
                "a text of {} is tokenized differently",
                quantity(old.text.len() as u64, "byte")
            ),
        })
        .collect()
}

/// Returns the first twelve digits of a digest or commit.
fn short(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}

/// Opens the model to compare: the one named on the command line, or else the locked model at the newest commit of its
/// revision. Also returns a drift if the revision has moved or no longer exists.
fn open(session: &mut Session, lock: &LockFile) -> Result<(ModelFiles, Option<Drift>)> {
    if session.model.chosen {
        let model = session.model.model_ref()?;
        return Ok((session.open(&model)?, None));
    }
    let commit = match (session.model.revision, &lock.commit) {
        (None, Some(commit)) => commit,
        (revision, _) => {
            let model = lock_state::model(lock, revision)?;
            return Ok((session.open(&model)?, None));
        }
    };
    let revision = lock.revision.as_ref().unwrap_or(commit);
    let (newest, message) = match newest_commit(session, lock, revision, commit)? {
        Newest::Locked => (None, None),
        Newest::Moved(newest) => {
            let message = format!(
                "{revision} has moved from the locked {} to {}",
                short(commit),
                short(&newest)
            );
            (Some(newest), Some(message))
        }
        Newest::Gone => {
            let message = format!("`{}` no longer has {revision}", lock.model);
            (None, Some(message))
        }
    };
    let model = lock_state::model(lock, Some(newest.as_ref().unwrap_or(commit)))?;
    let drift = message.map(|message| Drift {
        kind: "revision",
        name: Some(revision.clone()),
        locked: Some(commit.clone()),
        found: newest,
        message,
        ..Drift::default()
    });
    Ok((session.open(&model)?, drift))
}

/// What a locked revision refers to now.
enum Newest {
    /// The locked commit, or a commit that could not be determined.
    Locked,
    Moved(String),
    /// The repository no longer has the revision.
    Gone,
}

/// Asks the Hub for the newest commit of the locked revision.
fn newest_commit(
    session: &mut Session,
    lock: &LockFile,
    revision: &str,
    commit: &str,
) -> Result<Newest> {
    if revision == commit {
        return Ok(Newest::Locked);
    }
    let files = session.open(&lock_state::model(lock, Some(revision))?)?;
    let newest = match files.newest_commit() {
        Ok(newest) => newest.or_else(|| files.commit()),
        Err(Error::HubUnreachable { problem, .. }) => {
            session.note(&format!(
                "cannot ask the Hub whether {revision} of `{}` has moved ({problem})",
                lock.model
            ))?;
            files.commit()
        }
        Err(Error::RevisionNotFound { .. }) => return Ok(Newest::Gone),
        Err(error) => return Err(error),
    };
    Ok(match newest {
        Some(newest) if newest != commit => Newest::Moved(newest),
        _ => Newest::Locked,
    })
}

/// Runs the command.
pub fn run(args: &Args, session: &mut Session) -> Result<Exit> {
    let mut annotations = Vec::new();
    let outcome = check(args, session, &mut annotations);
    if args.annotate.is_github() {
        if let Err(error) = &outcome {
            annotations.push(annotation(
                session,
                "Tokenizer not checked",
                error.to_string(),
            ));
        }
        annotations
            .iter()
            .try_for_each(|annotation| session.annotate(annotation))?;
    }
    outcome
}

/// Returns an annotation of the lock file.
fn annotation(session: &Session, title: &'static str, message: String) -> Annotation {
    Annotation {
        file: Some(in_repository(
            &session.model.lock_file.display().to_string(),
        )),
        title,
        message,
        ..Annotation::default()
    }
}

/// Returns the sentence of a drift, and the texts that it is about.
fn message(drift: &Drift) -> String {
    let mut message = drift.message.clone();
    if drift.kind == "text" {
        let texts = [
            ("text", &drift.name),
            ("locked", &drift.locked),
            ("found", &drift.found),
        ];
        for (label, text) in texts {
            let text = text.as_deref().unwrap_or_default();
            message.push_str(&format!("\n{label}: {text}"));
        }
    }
    message
}

/// Compares the model with the lock file, and adds an annotation for every drift that is shown.
fn check(args: &Args, session: &mut Session, annotations: &mut Vec<Annotation>) -> Result<Exit> {
    let lock = lock_state::read(session)?;
    let (files, moved) = open(session, &lock)?;
    let mut files = lock_state::as_locked(session, session.model.reading, &lock, files)?;
    let found = lock_state::freeze(&mut files)?;
    lock_state::require_known(&files, &lock, &found)?;
    let mut drifts: Vec<Drift> = moved.into_iter().collect();
    drifts.extend(diff_files(&lock.files, &found));
    let vocabulary_size = match diff_tokenizer(session, &files, &lock) {
        Ok((size, more)) => {
            drifts.extend(more);
            size
        }
        // The drifts found so far explain the error.
        Err(error) if !drifts.is_empty() => {
            drifts.push(Drift {
                kind: "tokenizer",
                message: format!("the files are no longer a tokenizer: {error}"),
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
            annotations.push(annotation(session, "Tokenizer changed", message(&drift)));
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
        reading: files.reading().recorded(),
    }))?;
    Ok(match differences {
        0 => Exit::Done,
        _ => Exit::Negative,
    })
}

/// Compares the tokenizer with the lock file. Returns the size of its vocabulary and the drifts.
fn diff_tokenizer(
    session: &Session,
    files: &ModelFiles,
    lock: &LockFile,
) -> Result<(usize, Vec<Drift>)> {
    let tokenizer = session.tokenizer(files)?;
    let vocabulary = lock_state::vocabulary(&tokenizer);
    let mut drifts = diff_vocabulary(&lock.vocabulary, &vocabulary);
    drifts.extend(diff_engine(&lock.engine, &lock_state::engine(&tokenizer)));
    let texts = lock.texts.iter().map(|text| text.text.as_str()).collect();
    let texts = lock_state::texts(&tokenizer, texts)?;
    drifts.extend(diff_texts(&lock.texts, &texts));
    Ok((vocabulary.size, drifts))
}
