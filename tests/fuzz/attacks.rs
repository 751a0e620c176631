//! Attacks by name: files that were made to break the program, and what it says to them.
