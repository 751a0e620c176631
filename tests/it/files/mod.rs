//! Texts from arguments, files, standard input, and trees.

mod budgets;
mod grep;
mod input;
mod trees;
