//! Processes blocks of an input, or a list of items, on all threads and delivers the results in input order.
//!
//! A separate thread reads ahead by a bounded amount, so that workers wait neither for reads nor for the delivery of
//! earlier results, and no result waits for the next read.

use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread;

use rayon::prelude::*;

use super::line_blocks::{Block, LineBlocks};
use crate::error::{Error, Result};

/// The size of the first blocks in bytes, small so that all threads soon have work. A longer line makes a longer block.
const FIRST_BLOCK_BYTES: usize = 1 << 16;
/// The size of later blocks in bytes, large so that threads seldom wait.
const BLOCK_BYTES: usize = 1 << 18;
/// The maximum number of blocks per thread that are read but not yet delivered.
const BLOCKS_AHEAD: usize = 3;
/// The maximum number of bytes per thread that are read but not yet delivered.
const BYTES_AHEAD: usize = 8 << 20;

/// Applies `work` to every item, on all threads if there are several items, and returns the results in order.
pub fn map_in_parallel<T: Send, R: Send>(
    items: Vec<T>,
    work: impl Fn(T) -> R + Send + Sync,
) -> Vec<R> {
    if items.len() < 2 {
        // A single item should not wait for threads to start.
        return items.into_iter().map(work).collect();
    }
    items.into_par_iter().map(work).collect()
}

/// A message to the calling thread.
enum Event<T> {
    Read(OwnBlock),
    Ended(io::Result<()>),
    /// The number of a block, the block itself, and its result.
    Done(usize, OwnBlock, thread::Result<T>),
}

/// A [`Block`] that owns its bytes.
#[derive(Default)]
struct OwnBlock {
    bytes: Vec<u8>,
    line: u64,
    offset: usize,
}

/// Calls `work` with each block of the input, on all threads, and `each` with the results in order, on this thread.
///
/// # Errors
/// Stops at the first error from `each`. A read error is wrapped by `unreadable` and returned once everything read
/// before it has been delivered.
pub fn for_each_in_order<T: Send + 'static>(
    blocks: LineBlocks,
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
        // The results not yet passed to `each`, in order; `None` for blocks still being worked on.
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
                        // The receiver is gone if `each` failed.
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
                        // The reader is gone if it has reached the end of the input.
                        let _ = to_reader.send(block);
                    }
                }
                Ok(Event::Ended(result)) => end = Some(result),
                // Unreachable: this thread holds a sender.
                Err(_) => break,
            }
        }
        end.unwrap_or(Ok(())).map_err(unreadable)
    })
}

/// Reads blocks until the input ends or the receiver is gone. Reuses the blocks that come back through `done`.
fn read_ahead<T>(
    mut blocks: LineBlocks,
    threads: usize,
    done: &Receiver<OwnBlock>,
    events: &Sender<Event<T>>,
) {
    let (mut ahead, mut bytes, mut count) = (0, 0, 0);
    let mut spare = Vec::new();
    loop {
        loop {
            let is_full = ahead >= BLOCKS_AHEAD * threads || bytes >= BYTES_AHEAD * threads;
            let returned = if is_full {
                done.recv().map_err(TryRecvError::from)
            } else {
                done.try_recv()
            };
            match returned {
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
                let block = blocks.take(if is_first {
                    FIRST_BLOCK_BYTES
                } else {
                    BLOCK_BYTES
                });
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

    fn blocks(input: impl Read + Send + 'static) -> LineBlocks {
        LineBlocks::new(BufReader::new(Box::new(input)))
    }

    fn unreadable(source: io::Error) -> Error {
        let input = "the input".to_owned();
        Error::ReadInput { input, source }
    }

    fn text(lines: usize) -> String {
        (0..lines).map(|line| format!("line {line}\n")).collect()
    }

    #[test]
    fn results_are_delivered_in_input_order() {
        let text = text(300_000);
        let mut seen = Vec::new();
        let work = |block: Block<'_>| {
            // Make some blocks slower than those after them.
            thread::sleep(std::time::Duration::from_micros(block.line % 4 * 100));
            (block.line, block.offset, block.bytes.to_vec())
        };
        let each = |(line, offset, bytes): (u64, usize, Vec<u8>)| {
            assert_eq!(offset, seen.len());
            assert_eq!(line as usize, memchr::memchr_iter(b'\n', &seen).count());
            seen.extend(bytes);
            Ok(())
        };
        for_each_in_order(blocks(Cursor::new(text.clone())), work, unreadable, each).unwrap();
        assert!(seen == text.as_bytes());
    }

    #[test]
    fn the_first_error_ends_the_run() {
        let mut count = 0;
        let each = |()| {
            count += 1;
            match count {
                3 => Err(Error::usage("enough")),
                _ => Ok(()),
            }
        };
        // An endless input.
        let error =
            for_each_in_order(blocks(io::repeat(b'\n')), |_| (), unreadable, each).unwrap_err();
        assert_eq!((error.to_string().as_str(), count), ("enough", 3));
    }

    #[test]
    fn a_read_error_is_returned_after_everything_read_before_it() {
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
        let error = for_each_in_order(blocks(input), work, unreadable, each).unwrap_err();
        assert!(error.to_string().contains("it broke"), "{error}");
        assert_eq!(bytes, text.len());
    }

    #[test]
    #[should_panic(expected = "a bug")]
    fn a_panic_does_not_hang() {
        let work = |_: Block<'_>| panic!("a bug");
        let _ = for_each_in_order(blocks(Cursor::new("a\n")), work, unreadable, |()| Ok(()));
    }
}
