//! Texts from arguments, files, standard input, and trees.

mod budgets;
mod file_walk;
mod grep;
mod input;
mod trees;
