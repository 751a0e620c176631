//! Recognizes input that is not text, such as compressed files, by its first bytes.

use super::text_format::Utf8Args;
use crate::error::{Error, Result, shell_path};

/// The number of bytes at the start of an input that are examined, about as many as git examines.
pub const SNIFFED_BYTES: usize = 8 * 1024;

/// The name of standard input in errors.
const STDIN: &str = "standard input";

/// A kind of file that is not text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BinaryKind {
    /// The kind with its article: "a gzip file".
    pub name: &'static str,
    remedy: Remedy,
}

/// How to get the text out of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Remedy {
    None,
    /// A command that writes the text. `{}` stands for the file.
    Command(&'static str),
    /// A command that cannot read standard input.
    FileCommand(&'static str),
    Advice(&'static str),
}

use Remedy::{Advice, Command, FileCommand};

const TO_JSON_LINES: Remedy = Advice("convert it to text first, for example to JSON Lines");

/// The first bytes of each kind, at an offset, with its name and remedy. The list has the formats in which people keep
/// text, and those that lie beside it.
const MAGIC: &[(usize, &[u8], &str, Remedy)] = &[
    (0, b"\x1f\x8b", "a gzip file", Command("gzip -dc {}")),
    (
        0,
        b"\x28\xb5\x2f\xfd",
        "a Zstandard file",
        Command("zstd -dc {}"),
    ),
    (0, b"BZh", "a bzip2 file", Command("bzip2 -dc {}")),
    (0, b"\xfd7zXZ\0", "an xz file", Command("xz -dc {}")),
    (0, b"\x04\x22\x4d\x18", "an LZ4 file", Command("lz4 -dc {}")),
    (
        0,
        b"PK\x03\x04",
        "a zip archive",
        FileCommand("unzip -p {}"),
    ),
    (0, b"PK\x05\x06", "a zip archive", Remedy::None),
    (
        0,
        b"7z\xbc\xaf\x27\x1c",
        "a 7z archive",
        FileCommand("7z x -so {}"),
    ),
    (257, b"ustar", "a tar archive", Command("tar -xOf {}")),
    (0, b"PAR1", "a Parquet file", TO_JSON_LINES),
    (0, b"ARROW1\0\0", "an Arrow file", TO_JSON_LINES),
    (0, b"ORC", "an ORC file", TO_JSON_LINES),
    (0, b"Obj\x01", "an Avro file", TO_JSON_LINES),
    (0, b"\x89HDF\r\n\x1a\n", "an HDF5 file", TO_JSON_LINES),
    (0, b"SQLite format 3\0", "an SQLite database", TO_JSON_LINES),
    (0, b"%PDF-", "a PDF file", Command("pdftotext {} -")),
    (
        0,
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "a Microsoft Office file",
        Remedy::None,
    ),
    (0, b"\x93NUMPY", "a NumPy file", Remedy::None),
    (0, b"GGUF", "a GGUF file", Remedy::None),
    (0, b"\x80\x02", "a pickle", Remedy::None),
    (0, b"\x80\x03", "a pickle", Remedy::None),
    (0, b"\x80\x04", "a pickle", Remedy::None),
    (0, b"\x80\x05", "a pickle", Remedy::None),
    (0, b"\x89PNG\r\n\x1a\n", "a PNG image", Remedy::None),
    (0, b"\xff\xd8\xff", "a JPEG image", Remedy::None),
    (0, b"GIF8", "a GIF image", Remedy::None),
    (8, b"WEBP", "a WebP image", Remedy::None),
    (0, b"\x7fELF", "a program", Remedy::None),
];

/// Returns the kind of an input that begins with `start`. Returns `None` if it is text as far as one can see, which
/// includes text in an unknown encoding.
pub fn binary_kind(start: &[u8]) -> Option<BinaryKind> {
    let start = &start[..start.len().min(SNIFFED_BYTES)];
    let has_zero = memchr::memchr(0, start).is_some();
    if !has_zero && is_utf8_so_far(start) {
        return None;
    }
    let known = MAGIC.iter().find(|(at, magic, ..)| {
        let found = start.get(*at..).unwrap_or_default();
        found.starts_with(magic)
    });
    let kind = |name, remedy| Some(BinaryKind { name, remedy });
    match known {
        Some((_, _, name, remedy)) => kind(name, *remedy),
        None if is_safetensors(start) => kind("a safetensors file", Remedy::None),
        None if is_arrow_stream(start) => kind("an Arrow stream", TO_JSON_LINES),
        None if has_zero && !is_utf8_so_far(start) => kind("binary data", Remedy::None),
        None => None,
    }
}

/// Refuses an input that is not text, unless `--lossy` is given. `start` is its beginning.
///
/// # Errors
/// Fails with [`Error::NotText`].
pub fn refuse_binary(input: &str, start: &[u8], utf8: Utf8Args) -> Result<()> {
    if utf8.lossy {
        return Ok(());
    }
    match binary_kind(start) {
        Some(kind) => Err(Error::NotText {
            input: input.to_owned(),
            kind: kind.name,
            hint: kind.hint(input),
        }),
        None => Ok(()),
    }
}

impl BinaryKind {
    fn hint(self, input: &str) -> Option<String> {
        match self.remedy {
            Remedy::None => None,
            Advice(advice) => Some(advice.to_owned()),
            Command(command) if input == STDIN => {
                let command = command.replace("{}", "-");
                Some(format!("pass it through `{command}` first"))
            }
            FileCommand(command) if input == STDIN => {
                let command = command.replace("{}", "FILE");
                Some(format!(
                    "save it to a file, and pass its text through a pipe: `{command} | tokscope …`"
                ))
            }
            Command(command) | FileCommand(command) => {
                let command = command.replace("{}", &shell_path(input));
                Some(format!(
                    "pass its text through a pipe: `{command} | tokscope …`"
                ))
            }
        }
    }
}

/// Returns true if the bytes are UTF-8, apart from a character that is cut off at their end.
fn is_utf8_so_far(bytes: &[u8]) -> bool {
    str::from_utf8(bytes)
        .err()
        .is_none_or(|error| error.error_len().is_none())
}

/// Returns true for the length of a JSON header, followed by the header.
fn is_safetensors(start: &[u8]) -> bool {
    match start.split_first_chunk::<8>() {
        Some((length, header)) => {
            header.starts_with(b"{\"") && u64::from_le_bytes(*length) < 1 << 32
        }
        None => false,
    }
}

/// Returns true for the mark of a message and the length of its metadata, a multiple of eight.
fn is_arrow_stream(start: &[u8]) -> bool {
    match start.split_first_chunk::<8>() {
        Some(([0xff, 0xff, 0xff, 0xff, length @ ..], _)) => {
            let length = u32::from_le_bytes(*length);
            length > 0 && length < 1 << 28 && length.is_multiple_of(8)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(start: &[u8]) -> Option<&'static str> {
        binary_kind(start).map(|kind| kind.name)
    }

    #[test]
    fn text_that_begins_like_a_binary_file_is_text() {
        for text in [
            "BZh is a prefix",
            "PAR1\n",
            "%PDF-1.4 and so on",
            "PK\u{3}\u{4}",
            "GGUF",
            "",
        ] {
            assert_eq!(name(text.as_bytes()), None, "{text}");
        }
        // A character that is cut off at the end of these bytes is not an encoding error.
        let long = "é".repeat(SNIFFED_BYTES);
        assert_eq!(name(&long.as_bytes()[..SNIFFED_BYTES - 1]), None);
        // Latin-1 is text in another encoding.
        assert_eq!(name(b"caf\xe9"), None);
        // A zero byte is a character of UTF-8.
        assert_eq!(name(b"a\0b"), None);
    }

    #[test]
    fn binary_files_are_known_by_their_first_bytes() {
        let mut safetensors = 80_u64.to_le_bytes().to_vec();
        safetensors.extend(b"{\"__metadata__\":{}}");
        let mut arrow = vec![0xff; 4];
        arrow.extend(1024_u32.to_le_bytes());
        let mut tar = vec![0; 257];
        tar.extend(b"ustar");
        for (start, kind) in [
            (b"\x1f\x8b\x08\0".to_vec(), "a gzip file"),
            (b"\x28\xb5\x2f\xfd\x04".to_vec(), "a Zstandard file"),
            (b"BZh91AY&SY\xa0".to_vec(), "a bzip2 file"),
            (b"\xfd7zXZ\0\0".to_vec(), "an xz file"),
            (b"PK\x03\x04\x14\0\x08".to_vec(), "a zip archive"),
            (b"PAR1\x15\x04\xa0".to_vec(), "a Parquet file"),
            (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n".to_vec(), "a PDF file"),
            (b"\x01\0\xff".to_vec(), "binary data"),
            (safetensors, "a safetensors file"),
            (arrow, "an Arrow stream"),
            (tar, "a tar archive"),
        ] {
            assert_eq!(name(&start), Some(kind));
        }
    }
}
