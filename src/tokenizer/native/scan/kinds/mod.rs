//! The kinds of characters that pre-tokenizers tell apart.
//!
//! Characters of one kind are alike to every pattern, so a class of a pattern is a set of kinds. The table of
//! `kind_runs.rs` is expanded by the compiler and used in place.

use super::kind_runs::{KindSet, RUNS};

#[cfg(test)]
mod tests;

const CHARACTERS: usize = 0x11_0000;
const BLOCK: usize = 256;

/// The number of different blocks of characters. A block is different from the others if it has more than one kind.
const BLOCKS: usize = count_blocks();

/// The block of the characters that start with the same bits.
static BLOCK_OF: [u8; CHARACTERS / BLOCK] = TABLE.block_of;

/// The kinds of the characters of a block.
static KINDS: [[u8; BLOCK]; BLOCKS] = TABLE.kinds;

/// The set of the kind of each ASCII character.
static ASCII: [KindSet; 128] = ascii();

/// Returns the set of the kind of an ASCII character. Returns the empty set for other bytes.
#[inline]
pub fn ascii_kind(byte: u8) -> KindSet {
    match ASCII.get(usize::from(byte)) {
        Some(kind) => *kind,
        None => 0,
    }
}

/// Returns the set of the kind of a character. Returns the empty set for numbers above those of characters.
#[inline]
pub fn kind_of(character: u32) -> KindSet {
    let character = character as usize;
    let Some(block) = BLOCK_OF.get(character / BLOCK) else {
        return 0;
    };
    1 << KINDS[usize::from(*block)][character % BLOCK]
}

/// The table as the compiler expands it.
struct Table {
    block_of: [u8; CHARACTERS / BLOCK],
    kinds: [[u8; BLOCK]; BLOCKS],
}

const TABLE: Table = expand();

/// Returns the first character after each run.
const fn run_ends() -> [usize; RUNS.len()] {
    let mut ends = [0; RUNS.len()];
    let (mut run, mut end) = (0, 0);
    while run < RUNS.len() {
        end += (RUNS[run] >> 8) as usize;
        ends[run] = end;
        run += 1;
    }
    assert!(end == CHARACTERS, "the runs must have all characters");
    ends
}

const fn run_kind(run: usize) -> u8 {
    (RUNS[run] & 0xff) as u8
}

/// Returns one more than the highest kind.
const fn count_kinds() -> usize {
    let (mut kinds, mut run) = (0, 0);
    while run < RUNS.len() {
        if run_kind(run) as usize >= kinds {
            kinds = run_kind(run) as usize + 1;
        }
        run += 1;
    }
    kinds
}

/// Returns the number of blocks: one for each kind, and those with more than one kind.
const fn count_blocks() -> usize {
    let ends = run_ends();
    let (mut blocks, mut run, mut start) = (count_kinds(), 0, 0);
    while start < CHARACTERS {
        while ends[run] <= start {
            run += 1;
        }
        if ends[run] < start + BLOCK {
            blocks += 1;
        }
        start += BLOCK;
    }
    blocks
}

const fn expand() -> Table {
    let mut table = Table {
        block_of: [0; CHARACTERS / BLOCK],
        kinds: [[0; BLOCK]; BLOCKS],
    };
    let mut blocks = 0;
    while blocks < count_kinds() {
        table.kinds[blocks] = [blocks as u8; BLOCK];
        blocks += 1;
    }
    let ends = run_ends();
    let (mut run, mut start) = (0, 0);
    while start < CHARACTERS {
        while ends[run] <= start {
            run += 1;
        }
        if ends[run] >= start + BLOCK {
            table.block_of[start / BLOCK] = run_kind(run);
        } else {
            table.block_of[start / BLOCK] = blocks as u8;
            let mut index = 0;
            while index < BLOCK {
                while ends[run] <= start + index {
                    run += 1;
                }
                table.kinds[blocks][index] = run_kind(run);
                index += 1;
            }
            blocks += 1;
        }
        start += BLOCK;
    }
    assert!(blocks <= 256, "a block must have a number of one byte");
    table
}

const fn ascii() -> [KindSet; 128] {
    let mut kinds = [0; 128];
    let mut byte = 0;
    while byte < kinds.len() {
        kinds[byte] = 1 << TABLE.kinds[TABLE.block_of[0] as usize][byte];
        byte += 1;
    }
    kinds
}
