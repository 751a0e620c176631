//! Texts from arguments, files, standard input, and trees.

mod annotations;
mod binary;
mod budgets;
mod configuration;
mod encodings;
mod file_walk;
mod grep;
mod input;
mod json_lines;
mod prompts;
mod trees;
