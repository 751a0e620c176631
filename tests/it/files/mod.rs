//! Texts from arguments, files, standard input, and trees.

mod binary;
mod budgets;
mod encodings;
mod file_walk;
mod grep;
mod input;
mod json_lines;
mod trees;
