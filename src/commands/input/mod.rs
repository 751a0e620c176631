//! Reads the texts of a command: from arguments, files, and standard input; whole, by line, or as JSON Lines.

pub mod binary_kind;
pub mod chat_args;
pub mod encode_args;
pub mod file_filters;
pub mod file_walk;
pub mod found_file;
pub mod ignore_files;
pub mod json_text;
pub mod line_blocks;
pub mod meter;
pub mod ordered_parallel;
pub mod parallel_walk;
pub mod stream_answers;
pub mod stream_start;
pub mod stress_texts;
pub mod text_args;
pub mod text_counts;
pub mod text_format;
pub mod text_parts;
pub mod unicode_input;
