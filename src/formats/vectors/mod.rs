//! Files of word vectors: text as GloVe, word2vec and fastText write it, and the binary files of word2vec and fastText.
//!
//! A row is the vector of a word, and its number is that of the word in the file, from 0. One pass over the file finds
//! the words ([`WordIndex`]); after that, a row costs its own bytes.

mod decimal;
mod fasttext;
mod index;
mod limits;
#[cfg(test)]
mod tests;
mod text;
mod window;
mod word2vec;

use std::ops::Range;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::source::ByteSource;
use fasttext::FastText;
pub use index::WordIndex;
use index::{Builder, hash};
use limits::{MAX_COLUMNS, MAX_WORDS, Place};

/// The names of formats in records, with that of NumPy's arrays, which have no words.
pub const FORMATS: [&str; 4] = ["vectors-text", "word2vec", "fasttext", "npy"];

/// The first bytes of a finalfusion file, which is not read.
const FINALFUSION: &[u8] = b"FiFu";

/// The words of a file, and the place of their vectors.
#[derive(Debug)]
pub struct VectorFile {
    file: Arc<dyn ByteSource>,
    layout: Layout,
    columns: u64,
    index: WordIndex,
}

/// The form of a file.
#[derive(Debug, Clone, PartialEq)]
enum Layout {
    /// One line for each word: the word and decimal numbers, with one separator between them. The number of the line of
    /// row 0.
    Text { separator: u8, line: u64 },
    /// The word, a space, and float32 values.
    Word2Vec,
    /// The words, and then a matrix.
    FastText(FastText),
}

impl VectorFile {
    /// Reads the words of a file in one pass, or takes those that an earlier pass has found. `store` gets the words of this
    /// pass.
    ///
    /// # Errors
    /// Fails with [`Error::Damaged`] if the file contradicts itself, with [`Error::Unsupported`] if it is none of the
    /// known formats, and with the errors of reading it.
    pub fn open(
        file: Arc<dyn ByteSource>,
        cached: Option<WordIndex>,
        store: impl FnOnce(&WordIndex),
    ) -> Result<Self> {
        let (mut layout, columns, place) = recognize(file.as_ref())?;
        let is_cached = cached.is_some();
        let index = match cached {
            Some(index) => index,
            None => scan(file.as_ref(), &layout, columns, &place)?,
        };
        if let Layout::FastText(model) = &mut layout {
            let last = index.rows().checked_sub(1).and_then(|row| index.entry(row));
            model.find_matrix(file.as_ref(), last.unwrap_or_default().end)?;
        }
        if !is_cached {
            store(&index);
        }
        Ok(Self {
            file,
            layout,
            columns,
            index,
        })
    }

    /// Returns the file.
    pub fn file(&self) -> &Arc<dyn ByteSource> {
        &self.file
    }

    /// Returns the number of words.
    pub fn rows(&self) -> u64 {
        self.index.rows()
    }

    /// Returns the number of values of a vector.
    pub fn columns(&self) -> u64 {
        self.columns
    }

    /// Returns the name of the format in records.
    pub fn format(&self) -> &'static str {
        let [text, word2vec, fasttext, _] = FORMATS;
        match self.layout {
            Layout::Text { .. } => text,
            Layout::Word2Vec => word2vec,
            Layout::FastText(_) => fasttext,
        }
    }

    /// Returns the bytes of a word. They are UTF-8 only if the writer saw to it.
    ///
    /// # Errors
    /// Fails if the file cannot be read, or has changed since its words were found.
    pub fn word(&self, row: u64) -> Result<Vec<u8>> {
        let bytes = self.file.read(self.index.entry(row).unwrap_or_default())?;
        let word = match &self.layout {
            Layout::Text { separator, .. } => {
                text::split(&bytes, *separator, self.columns).map(|(word, _)| word)
            }
            Layout::Word2Vec => word2vec::split(&bytes).map(|(word, _)| word),
            Layout::FastText(_) => fasttext::word(&bytes),
        };
        Ok(word.ok_or_else(|| self.changed(row))?.to_vec())
    }

    /// Returns a word for people: with U+FFFD in place of bytes that are not UTF-8. Returns `None` if there is no such
    /// row, or it cannot be read.
    pub fn shown_word(&self, row: u64) -> Option<String> {
        if row >= self.rows() {
            return None;
        }
        let word = self.word(row).ok()?;
        Some(String::from_utf8_lossy(&word).into_owned())
    }

    /// Returns the first row of a word, spelled exactly like this.
    ///
    /// # Errors
    /// Fails like [`Self::word`].
    pub fn find(&self, word: &str) -> Result<Option<u64>> {
        let hash_of = |row| self.word(row).map(|word| hash(&word));
        for row in self.index.candidates(hash(word.as_bytes()), hash_of)? {
            if self.word(row)? == word.as_bytes() {
                return Ok(Some(row));
            }
        }
        Ok(None)
    }

    /// Appends the values of consecutive rows.
    ///
    /// # Errors
    /// Fails with [`Error::Damaged`] if a value is not a number, and with the errors of reading the file.
    pub fn append(&self, rows: Range<u64>, values: &mut Vec<f32>) -> Result<()> {
        let start = self.index.entry(rows.start).unwrap_or_default().start;
        let end = self
            .index
            .entry(rows.end.saturating_sub(1))
            .unwrap_or_default()
            .end;
        if let Layout::FastText(model) = &self.layout {
            return rows.into_iter().try_for_each(|row| {
                model.append(self.file.as_ref(), row, &self.word(row)?, values)
            });
        }
        let mut buffer = Vec::new();
        let bytes = self.file.read_once(start..end.max(start), &mut buffer)?;
        for row in rows {
            let entry = self.index.entry(row).unwrap_or_default();
            let range = entry
                .start
                .checked_sub(start)
                .zip(entry.end.checked_sub(start));
            let entry = range.and_then(|(from, to)| bytes.get(from as usize..to as usize));
            let entry = entry.ok_or_else(|| self.changed(row))?;
            match &self.layout {
                Layout::Text { separator, line } => {
                    let numbers = text::split(entry, *separator, self.columns);
                    let (_, numbers) = numbers.ok_or_else(|| self.changed(row))?;
                    text::append(numbers, *separator, values).map_err(|number| {
                        let line = row + line;
                        let problem = format!("line {line} has {number}, which is not a number");
                        Error::damaged(self.file.name(), problem)
                    })?;
                }
                _ => {
                    let vector = word2vec::split(entry).map(|(_, vector)| vector);
                    let vector = vector.ok_or_else(|| self.changed(row))?;
                    let elements = vector.as_chunks().0.iter().take(self.columns as usize);
                    values.extend(elements.map(|bytes| f32::from_le_bytes(*bytes)));
                }
            }
        }
        Ok(())
    }

    /// Returns the bytes that a row is computed from.
    pub fn bytes_of(&self, row: u64) -> Range<u64> {
        self.index.entry(row).unwrap_or_default()
    }

    fn changed(&self, row: u64) -> Error {
        let problem = format!("row {row} is not where it was when its words were read");
        Error::damaged(self.file.name(), problem)
    }
}

/// Finds the words of a file.
fn scan(file: &dyn ByteSource, layout: &Layout, columns: u64, place: &Place) -> Result<WordIndex> {
    let mut builder = Builder::default();
    match layout {
        Layout::Text { separator, .. } => {
            text::scan(file, *separator, columns, place, &mut builder)?;
        }
        Layout::Word2Vec => word2vec::scan(file, columns, place, &mut builder)?,
        Layout::FastText(model) => fasttext::scan(file, model, &mut builder)?,
    }
    Ok(builder.finish())
}

/// Finds the format of a file, the number of columns, and the first vector.
fn recognize(file: &dyn ByteSource) -> Result<(Layout, u64, Place)> {
    let head = file.read(0..file.len().min(text::MAX_LINE))?;
    if head.is_empty() {
        return Err(Error::damaged(file.name(), "it is empty"));
    }
    if head.starts_with(FINALFUSION) {
        let error = Error::unsupported(file.name(), "it is a finalfusion file");
        return Err(error.with_hint("convert it with `ffp-convert -f finalfusion -t word2vec`"));
    }
    if let Some(model) = FastText::read(file, &head)? {
        let columns = model.columns();
        check_sizes(file, None, columns)?;
        let place = Place {
            start: 0,
            rows: None,
            line: 0,
        };
        return Ok((Layout::FastText(model), columns, place));
    }
    let text = text::recognize(&head);
    let text = text.map(|(separator, columns, place)| {
        let line = place.line;
        (Layout::Text { separator, line }, columns, place)
    });
    let binary = || {
        let (columns, place) = word2vec::recognize(&head)?;
        Some((Layout::Word2Vec, columns, place))
    };
    let Some((layout, columns, place)) = text.or_else(binary) else {
        let problem =
            "it is not a file of vectors: its lines are not a word and numbers, nor is it binary";
        return Err(Error::unsupported(file.name(), problem));
    };
    check_sizes(file, place.rows, columns)?;
    Ok((layout, columns, place))
}

fn check_sizes(file: &dyn ByteSource, rows: Option<u64>, columns: u64) -> Result<()> {
    let problem = match rows {
        Some(0) => "it has no vectors".to_owned(),
        Some(rows) if rows > MAX_WORDS => {
            format!("it claims {rows} vectors, but at most {MAX_WORDS} are read")
        }
        _ if !(1..=MAX_COLUMNS).contains(&columns) => {
            format!("its vectors have {columns} values, but 1 to {MAX_COLUMNS} are read")
        }
        _ => return Ok(()),
    };
    Err(Error::damaged(file.name(), problem))
}
