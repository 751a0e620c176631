//! Searches the text of one input for tokens.

use std::borrow::Cow;
use std::io::Read;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::line_context::{Position, line_after, line_before};
use crate::commands::input::found_file::{FoundFile, Unread};
use crate::commands::input::text_format::Utf8Args;
use crate::commands::input::text_parts::{PART_SIZE, TextPart, TextParts};
use crate::error::Result;
use crate::record::Match;
use crate::render::View;
use crate::tokenizer::{EncodeOptions, Tokenizer, covered};

/// The maximum number of matches held in memory while earlier files are written. Each takes some 500 bytes.
const MAX_HELD_MATCHES: usize = 1 << 14;

/// A search for tokens.
#[derive(Debug)]
pub struct Search<'t> {
    tokenizer: &'t Tokenizer,
    ids: Vec<u32>,
    options: EncodeOptions,
    utf8: Utf8Args,
    part_size: usize,
}

/// The matches in a file.
pub enum FileMatches {
    All(Vec<(Match, View)>),
    /// There are too many matches to hold in memory.
    TooMany,
}

/// An occurrence of a searched token: its id, and its byte range in a part of the text.
#[derive(Debug, Clone, Copy)]
struct Hit {
    id: u32,
    start: usize,
    end: usize,
}

/// A part of a text with its hits.
#[derive(Default)]
struct SearchedPart {
    hits: Vec<Hit>,
    end: Position,
    /// The text of the part and its neighbors; empty if there are no hits.
    text: String,
    before: String,
    after: String,
}

impl<'t> Search<'t> {
    /// Prepares a search for tokens by id.
    pub fn new(
        tokenizer: &'t Tokenizer,
        ids: Vec<u32>,
        options: EncodeOptions,
        utf8: Utf8Args,
    ) -> Self {
        Self {
            tokenizer,
            ids,
            options,
            utf8,
            part_size: PART_SIZE,
        }
    }

    pub fn utf8(&self) -> Utf8Args {
        self.utf8
    }

    /// Returns the matches in a file, and adds their number to `held`.
    ///
    /// # Errors
    /// Fails like [`FoundFile::read`].
    pub fn file_matches(
        &self,
        file: &FoundFile,
        held: &AtomicUsize,
    ) -> Result<FileMatches, Unread> {
        let name = file.name();
        let mut matches = Vec::new();
        let too_many = AtomicBool::new(false);
        let searched = file.read(self.utf8, |reader| {
            self.search(Some(&name), &name, reader, &too_many, |found, view| {
                if held.fetch_add(1, Ordering::Relaxed) < MAX_HELD_MATCHES {
                    matches.push((found, view));
                } else {
                    held.fetch_sub(1, Ordering::Relaxed);
                    too_many.store(true, Ordering::Relaxed);
                }
                Ok(())
            })
        });
        let too_many = too_many.into_inner();
        if too_many || searched.is_err() {
            held.fetch_sub(matches.len(), Ordering::Relaxed);
        }
        searched?;
        Ok(if too_many {
            FileMatches::TooMany
        } else {
            FileMatches::All(matches)
        })
    }

    /// Calls `each` with every match in a text, in order. Records call the text `path`; errors call it `input`.
    ///
    /// # Errors
    /// Fails with the first error of reading, encoding, or `each`.
    pub fn for_each_match(
        &self,
        path: Option<&str>,
        input: &str,
        reader: impl Read,
        each: impl FnMut(Match, View) -> Result<()>,
    ) -> Result<()> {
        let never = AtomicBool::new(false);
        self.search(path, input, reader, &never, each)
    }

    /// Like [`Search::for_each_match`], but once `is_enough` is true, only checks that the rest of the text is UTF-8.
    fn search(
        &self,
        path: Option<&str>,
        input: &str,
        reader: impl Read,
        is_enough: &AtomicBool,
        mut each: impl FnMut(Match, View) -> Result<()>,
    ) -> Result<()> {
        let mut start = Position::default();
        let search_part = |part| self.search_part(part, input, is_enough);
        let parts = TextParts {
            tokenizer: self.tokenizer,
            options: &self.options,
            part_size: self.part_size,
        };
        parts.for_each(input, reader, search_part, |part| {
            let mut position = Position::default();
            for hit in &part.hits {
                if is_enough.load(Ordering::Relaxed) {
                    break;
                }
                let (found, view) = self.match_of(path, &part, start, &mut position, *hit);
                each(found, view)?;
            }
            start = start.then(part.end);
            Ok(())
        })
    }

    fn search_part(
        &self,
        mut part: TextPart,
        input: &str,
        is_enough: &AtomicBool,
    ) -> Result<SearchedPart> {
        let (before, after) = (
            std::mem::take(&mut part.before),
            std::mem::take(&mut part.after),
        );
        let text = part.into_text(input, self.utf8)?;
        if is_enough.load(Ordering::Relaxed) {
            return Ok(SearchedPart::default());
        }
        // A character cut in two at the far end of the context becomes U+FFFD, but it is more than 60 characters away
        // and never shown.
        let [before, after] =
            [before, after].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let hits = self.hits(&before, &text)?;
        let end = Position::end_of(text.as_bytes());
        if hits.is_empty() {
            return Ok(SearchedPart {
                end,
                ..SearchedPart::default()
            });
        }
        Ok(SearchedPart {
            hits,
            end,
            text,
            before,
            after,
        })
    }

    /// Finds the searched tokens in a part of a text, which follows `before`.
    fn hits(&self, before: &str, text: &str) -> Result<Vec<Hit>> {
        // A part has the same tokens as in the whole text, but the first token's range would lack the space before it,
        // as at the start of any text. So the last word of the previous part goes first.
        let lead = last_word(before);
        let text = if lead.is_empty() {
            Cow::Borrowed(text)
        } else {
            Cow::Owned([lead, text].concat())
        };
        let found = self.tokenizer.find(&text, &self.ids, &self.options)?;
        let is_in_part = |token: &(u32, (usize, usize))| lead.is_empty() || token.1.1 > lead.len();
        let found = found.into_iter().filter(is_in_part);
        Ok(found
            .map(|(id, range)| Hit {
                id,
                start: range.0.saturating_sub(lead.len()),
                end: range.1 - lead.len(),
            })
            .collect())
    }

    /// Makes the record of a hit. The part begins at `part_start`. `position` advances from the previous hit to this
    /// one.
    fn match_of(
        &self,
        path: Option<&str>,
        part: &SearchedPart,
        part_start: Position,
        position: &mut Position,
        hit: Hit,
    ) -> (Match, View) {
        let text = &part.text;
        // A leading space or newline of the token is not part of the match.
        let shown = covered(text, (hit.start, hit.end));
        let word_start = match text[shown.clone()].trim_start().len() {
            0 => shown.start,
            length => shown.end - length,
        };
        position.advance_to(text.as_bytes(), word_start);
        let place = part_start.then(*position);
        let before = line_before(&part.before, &text[..word_start]);
        let after = line_after(&text[shown.end..], &part.after);
        let found = Match {
            path: path.map(str::to_owned),
            line: place.line + 1,
            column: place.column + 1,
            start: part_start.offset + hit.start,
            end: part_start.offset + hit.end,
            id: hit.id,
            piece: self.tokenizer.piece(hit.id).unwrap_or_default().to_owned(),
            before: before.text,
            text: text[word_start..shown.end].to_owned(),
            after: after.text,
            reading: self.tokenizer.reading().recorded(),
        };
        let view = View::Excerpt {
            cut_before: before.is_cut,
            cut_after: after.is_cut,
        };
        (found, view)
    }
}

/// Returns the part of a text after its last white space.
fn last_word(text: &str) -> &str {
    text.rsplit(char::is_whitespace).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model_ref::ModelRef;
    use crate::source::{AppCache, HubSettings, ModelFiles, SourceOptions, Unobserved};

    fn demo() -> Tokenizer {
        let options = SourceOptions {
            offline: true,
            hub: HubSettings::from_env(|_| None),
            cache: AppCache::disabled(),
            observer: Arc::new(Unobserved),
        };
        Tokenizer::open(&ModelFiles::open(&ModelRef::Demo, options).unwrap()).unwrap()
    }

    /// Lines of no, some, and many characters of one to four bytes, with invalid bytes among them.
    fn bytes() -> Vec<u8> {
        let mut bytes = Vec::new();
        for number in 0..120_usize {
            for word in 0..number * number % 61 {
                let word = ["banco", "del", "río", "🙂", "money", "日本"][(word * 7 + number) % 6];
                bytes.extend_from_slice(word.as_bytes());
                bytes.push(b' ');
            }
            if number % 17 == 3 {
                bytes.extend_from_slice(b"\xff banco \xf0\x9f\x99 ");
            }
            bytes.extend_from_slice([&b"\n"[..], b"", b"\n\n", b"\r\nbanco"][number % 4]);
        }
        bytes
    }

    /// The matches in a text that is encoded as a whole.
    fn expected(search: &Search, text: &str) -> Vec<(Match, View)> {
        let encoded = search.tokenizer.encode(text, None, &search.options);
        let encoding = encoded.unwrap().into_first();
        let tokens = encoding.ids.iter().zip(&encoding.offsets);
        let matches = tokens.filter(|(id, _)| search.ids.contains(id));
        matches
            .map(|(&id, &(start, end))| {
                let surface = &text[start..end];
                let word = match surface.trim_start() {
                    "" => start,
                    word => end - word.len(),
                };
                let line_start = text[..word].rfind('\n').map_or(0, |newline| newline + 1);
                let line_end = text[end..].find('\n').map_or(text.len(), |at| end + at);
                let before: Vec<char> = text[line_start..word].chars().collect();
                let after: Vec<char> = text[end..line_end.max(end)].chars().collect();
                let found = Match {
                    path: None,
                    line: text[..word].matches('\n').count() + 1,
                    column: word - line_start + 1,
                    start,
                    end,
                    id,
                    piece: search.tokenizer.piece(id).unwrap().to_owned(),
                    before: before[before.len().saturating_sub(60)..].iter().collect(),
                    text: text[word..end].to_owned(),
                    after: after[..after.len().min(60)].iter().collect(),
                    reading: None,
                };
                let view = View::Excerpt {
                    cut_before: before.len() > 60,
                    cut_after: after.len() > 60,
                };
                (found, view)
            })
            .collect()
    }

    #[test]
    fn a_text_in_parts_has_the_matches_of_the_whole_text() {
        let tokenizer = demo();
        let ids = vec![
            tokenizer.id_of("▁banco").unwrap(),
            tokenizer.id_of("▁money").unwrap(),
            tokenizer.unknown_token().unwrap(),
        ];
        let options = EncodeOptions {
            special_tokens: false,
            ..EncodeOptions::default()
        };
        let mut search = Search::new(&tokenizer, ids, options, Utf8Args { lossy: true });
        let bytes = bytes();
        let expected = expected(&search, &String::from_utf8_lossy(&bytes));
        assert!(expected.len() > 1000);
        for part_size in [PART_SIZE, 3, 17, 64, 255, 256, 300, 1000, 5000] {
            search.part_size = part_size;
            let mut matches = Vec::new();
            let collected = search.for_each_match(None, "the text", &*bytes, |found, view| {
                matches.push((found, view));
                Ok(())
            });
            collected.unwrap();
            assert_eq!(matches.len(), expected.len(), "{part_size}");
            for (found, expected) in matches.iter().zip(&expected) {
                assert_eq!(found, expected, "{part_size}");
            }
        }
    }
}
