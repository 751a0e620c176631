//! The pieces in the vocabulary of a GGUF file, without a tokenizer.

use std::borrow::Cow;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use super::conversion::gguf::{Kind, Roles, spelling};
use super::{open, open_gguf};
use crate::error::Result;
use crate::formats::gguf::Gguf;
use crate::source::{ByteSource, ModelFiles};

/// The number of pieces that are looked up one by one. For more, all of them are read.
const SINGLE_PIECES: usize = 32;

/// The pieces in the vocabulary of a GGUF file, without a tokenizer: one costs a pass over the ones before it.
#[derive(Debug)]
pub struct GgufPieces {
    file: Arc<dyn ByteSource>,
    header: Gguf,
    /// The ids of named tokens of WordPiece, which spells its pieces in another way than the file; `None` for the other
    /// kinds.
    named: Option<Vec<u32>>,
    /// The number of pieces that were looked up.
    found: AtomicUsize,
    all: OnceLock<Vec<Option<String>>>,
}

impl GgufPieces {
    /// Opens the vocabulary of a model's GGUF file; `None` if its vocabulary is in another file, or it has none.
    ///
    /// # Errors
    /// Fails with the error of finding or reading a file.
    pub fn open(files: &ModelFiles) -> Result<Option<Self>> {
        if open::has_vocabulary_file(files)? {
            return Ok(None);
        }
        let Some(found) = open_gguf::find(files)? else {
            return Ok(None);
        };
        let (file, header) = (found.file, found.header);
        let named = match found.settings {
            Ok(settings) if Kind::of(file.name(), &settings).ok() == Some(Kind::Bert) => {
                let roles = Roles::of(Kind::Bert, &settings, header.token_count());
                Some(roles.ids())
            }
            // The error is that of the tokenizer, which a row does not need.
            _ => None,
        };
        Ok(Some(Self {
            file,
            header,
            named,
            found: AtomicUsize::new(0),
            all: OnceLock::new(),
        }))
    }

    /// Returns the number of pieces.
    pub fn count(&self) -> usize {
        self.header.token_count()
    }

    /// Returns the piece of an id; `None` if there is none, or it is not UTF-8.
    pub fn piece(&self, id: u32) -> Option<Cow<'_, str>> {
        if self.found.fetch_add(1, Ordering::Relaxed) < SINGLE_PIECES {
            let found = self.header.tokens(&*self.file, &[id]).ok()?.pop()??;
            return Some(Cow::Owned(self.spelled(id, found)));
        }
        let all = self.all.get_or_init(|| {
            let count = u32::try_from(self.header.token_count()).unwrap_or(u32::MAX);
            let ids: Vec<u32> = (0..count).collect();
            let tokens = self.header.tokens(&*self.file, &ids).unwrap_or_default();
            let tokens = (0..).zip(tokens);
            tokens
                .map(|(id, token)| Some(self.spelled(id, token?)))
                .collect()
        });
        all.get(id as usize)?.as_deref().map(Cow::Borrowed)
    }

    fn spelled(&self, id: u32, token: String) -> String {
        let Some(named) = &self.named else {
            return token;
        };
        let is_named = named.binary_search(&id).is_ok();
        match self.header.token_kind(&*self.file, id) {
            Ok(kind) => spelling(&token, kind, is_named).into_owned(),
            Err(_) => token,
        }
    }
}
