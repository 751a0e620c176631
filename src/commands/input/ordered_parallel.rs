//! Blocks of an input → what comes of them, in order, on all threads.
//!
//! A thread of its own reads ahead, so that neither reading nor what is done in order holds up the others, and so that
//! no answer waits for the next read. How far it reads ahead is bounded.

use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread;

use rayon::prelude::*;

use super::line_blocks::{Block, Blocks};
use crate::error::{Error, Result};

/// Bytes of a block, if lines are not longer: of the first few, so that all threads have something to do, and of those
/// behind, so that they seldom wait.
const FIRST_BLOCK: usize = 1 << 16;
const BLOCK: usize = 1 << 18;
/// Blocks for each thread that are read and not done, and their bytes: what is read beyond waits.
const BLOCKS_AHEAD: usize = 3;
const BYTES_AHEAD: usize = 8 << 20;

/// Applies `work` to every item, on all threads if there are several, and returns the results in order.
pub fn map_in_parallel<T: Send, R: Send>(
    items: Vec<T>,
    work: impl Fn(T) -> R + Send + Sync,
) -> Vec<R> {
    if items.len() < 2 {
        // A single item need not wait for threads to start.
        return items.into_iter().map(work).collect();
    }
    items.into_par_iter().map(work).collect()
}

/// What the caller waits for.
enum Event<T> {
    Read(OwnBlock),
    Ended(io::Result<()>),
    /// What came of a block, given with its number.
    Done(usize, OwnBlock, thread::Result<T>),
}

/// A block with memory of its own.
#[derive(Default)]
struct OwnBlock {
    bytes: Vec<u8>,
    line: u64,
    offset: usize,
}

/// Calls `work` on blocks of the input on all threads, and `each` on this one with what came of them, in their order.
///
/// # Errors
/// The first of `each`, which is the end, and the one of reading, as `unreadable` calls it, behind what was read.
pub fn in_order<T: Send + 'static>(
    blocks: Blocks,
    work: impl Fn(Block<'_>) -> T + Sync,
    unreadable: impl Fn(io::Error) -> Error,
    mut each: impl FnMut(T) -> Result<()>,
) -> Result<()> {
    let (to_reader, done) = channel();
    let (sender, events) = channel();
    let to_caller = sender.clone();
    let threads = rayon::current_num_threads();
    let read = move || read_ahead(blocks, threads, &done, &to_caller);
    thread::Builder::new().spawn(read).map_err(&unreadable)?;
    rayon::in_place_scope(|scope| {
        let work = &work;
        let mut begun = 0;
        // What came of the blocks from the first that is not given to `each`, as far as it is known.
        let mut waiting = VecDeque::new();
        let mut end = None;
        while end.is_none() || !waiting.is_empty() {
            match events.recv() {
                Ok(Event::Read(block)) => {
                    let (number, sender) = (begun, sender.clone());
                    begun += 1;
                    waiting.push_back(None);
                    scope.spawn(move |_| {
                        let bytes = Block {
                            bytes: &block.bytes,
                            line: block.line,
                            offset: block.offset,
                        };
                        let result = catch_unwind(AssertUnwindSafe(|| work(bytes)));
                        // The caller has gone if it failed.
                        let _ = sender.send(Event::Done(number, block, result));
                    });
                }
                Ok(Event::Done(number, block, result)) => {
                    let first = begun - waiting.len();
                    waiting[number - first] = Some((block, result));
                    while let Some(Some((block, result))) =
                        waiting.pop_front_if(|first| first.is_some())
                    {
                        each(result.unwrap_or_else(|panic| resume_unwind(panic)))?;
                        // The reader has gone if it came to the end.
                        let _ = to_reader.send(block);
                    }
                }
                Ok(Event::Ended(result)) => end = Some(result),
                // There is a sender here.
                Err(_) => break,
            }
        }
        end.unwrap_or(Ok(())).map_err(unreadable)
    })
}

/// Reads blocks as long as there is someone to take them.
fn read_ahead<T>(
    mut blocks: Blocks,
    threads: usize,
    done: &Receiver<OwnBlock>,
    events: &Sender<Event<T>>,
) {
    let (mut ahead, mut bytes, mut count) = (0, 0, 0);
    let mut spare = Vec::new();
    loop {
        loop {
            let is_full = ahead >= BLOCKS_AHEAD * threads || bytes >= BYTES_AHEAD * threads;
            let done = match is_full {
                true => done.recv().map_err(TryRecvError::from),
                false => done.try_recv(),
            };
            match done {
                Ok(block) => {
                    ahead -= 1;
                    bytes -= block.bytes.len();
                    spare.push(block);
                }
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => return,
            }
        }
        let event = match blocks.fill() {
            Ok(1..) => {
                let is_first = count < BLOCKS_AHEAD * threads;
                let block = blocks.take(if is_first { FIRST_BLOCK } else { BLOCK });
                let mut own: OwnBlock = spare.pop().unwrap_or_default();
                own.bytes.clear();
                own.bytes.extend_from_slice(block.bytes);
                (own.line, own.offset) = (block.line, block.offset);
                count += 1;
                ahead += 1;
                bytes += own.bytes.len();
                Event::Read(own)
            }
            Ok(0) => Event::Ended(Ok(())),
            Err(error) => Event::Ended(Err(error)),
        };
        let ended = matches!(event, Event::Ended(_));
        if events.send(event).is_err() || ended {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufReader, Cursor, Read};

    use super::*;

    fn blocks(input: impl Read + Send + 'static) -> Blocks {
        Blocks::new(BufReader::new(Box::new(input)))
    }

    fn unreadable(source: io::Error) -> Error {
        let input = "the input".to_owned();
        Error::ReadInput { input, source }
    }

    fn text(lines: usize) -> String {
        (0..lines).map(|line| format!("line {line}\n")).collect()
    }

    #[test]
    fn what_comes_of_blocks_comes_in_their_order() {
        let text = text(300_000);
        let mut seen = Vec::new();
        let work = |block: Block<'_>| {
            // The first of some blocks takes longest.
            thread::sleep(std::time::Duration::from_micros(block.line % 4 * 100));
            (block.line, block.offset, block.bytes.to_vec())
        };
        let each = |(line, offset, bytes): (u64, usize, Vec<u8>)| {
            assert_eq!(offset, seen.len());
            assert_eq!(line as usize, memchr::memchr_iter(b'\n', &seen).count());
            seen.extend(bytes);
            Ok(())
        };
        in_order(blocks(Cursor::new(text.clone())), work, unreadable, each).unwrap();
        assert!(seen == text.as_bytes());
    }

    #[test]
    fn the_first_failure_is_the_end() {
        let mut count = 0;
        let each = |()| {
            count += 1;
            match count {
                3 => Err(Error::usage("enough")),
                _ => Ok(()),
            }
        };
        // An input without an end.
        let error = in_order(blocks(io::repeat(b'\n')), |_| (), unreadable, each).unwrap_err();
        assert_eq!((error.to_string().as_str(), count), ("enough", 3));
    }

    #[test]
    fn an_error_of_reading_comes_behind_what_was_read() {
        struct Fails;
        impl Read for Fails {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("it broke"))
            }
        }
        let text = text(50_000);
        let input = Cursor::new(text.clone()).chain(Fails);
        let mut bytes = 0;
        let each = |length: usize| {
            bytes += length;
            Ok(())
        };
        let work = |block: Block<'_>| block.bytes.len();
        let error = in_order(blocks(input), work, unreadable, each).unwrap_err();
        assert!(error.to_string().contains("it broke"), "{error}");
        assert_eq!(bytes, text.len());
    }

    #[test]
    #[should_panic(expected = "a bug")]
    fn a_panic_does_not_hang() {
        let work = |_: Block<'_>| panic!("a bug");
        let _ = in_order(blocks(Cursor::new("a\n")), work, unreadable, |()| Ok(()));
    }
}
