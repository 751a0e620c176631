//! Texts, model files, and names with control characters, on a pseudo-terminal.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::{Call, on, tokscope};
use crate::text::properties::is_tame;

/// Sets the clipboard (OSC 52), clears the screen, moves the cursor (as C0 and as C1), reverses the text, hides a part
/// of it, rings the bell, deletes, and queries the terminal.
const WILD: &str = "a\u{1b}]52;c;cm0gLXJm\u{7}b\u{1b}[2J\u{1b}[1;1H\u{9b}3A\u{202e}txt\u{2066}\u{200b}\u{8}\u{7f}\u{1b}[6n\rz";

/// Creates a model in which every string is [`WILD`].
fn model() -> tempfile::TempDir {
    let outer = tempfile::tempdir().unwrap();
    let folder = outer.path().join("m");
    fs::create_dir(&folder).unwrap();
    let write = |name: &str, value: Value| {
        fs::write(folder.join(name), serde_json::to_vec(&value).unwrap()).unwrap();
    };
    let token = |id: u32, content: String| {
        json!({
            "id": id, "content": content, "special": true, "single_word": false,
            "lstrip": false, "rstrip": false, "normalized": false,
        })
    };
    write(
        "tokenizer.json",
        json!({
            "added_tokens": [token(3, format!("<{WILD}>"))],
            "pre_tokenizer": {"type": "WhitespaceSplit"},
            "model": {
                "type": "WordLevel",
                "vocab": {"[UNK]": 0, "plain": 1, WILD: 2},
                "unk_token": "[UNK]",
            },
        }),
    );
    write(
        "tokenizer_config.json",
        json!({"tokenizer_class": format!("Class{WILD}"), "cls_token": format!("<{WILD}>")}),
    );
    write(
        "config.json",
        json!({"model_type": format!("type{WILD}"), "vocab_size": 4, "hidden_size": 2}),
    );
    let tensor = format!("{WILD}.word_embeddings.weight");
    let header = json!({tensor: {"dtype": "F32", "shape": [4, 2], "data_offsets": [0, 32]}});
    let header = serde_json::to_vec(&header).unwrap();
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header);
    for number in 1..=8_u8 {
        bytes.extend(f32::from(number).to_le_bytes());
    }
    fs::write(folder.join("model.safetensors"), bytes).unwrap();
    fs::write(folder.join(format!("{}.txt", WILD.replace('/', ""))), WILD).unwrap();
    outer
}

/// Runs a call on a terminal. Returns the output without the colors of the program itself, and checks that it has no
/// other control characters.
fn shown(call: Call) -> String {
    let (_, mut shown) = call.run_on_terminal();
    let color = regex::Regex::new("\u{1b}\\[[0-9;]*m").unwrap();
    shown = color.replace_all(&shown, "").into_owned();
    let wild = shown
        .chars()
        .find(|c| !matches!(c, '\n' | '\t') && !is_tame(*c));
    assert_eq!(wild, None, "{shown:?}");
    shown
}

fn call(model: &Path, args: &[&str]) -> Call {
    on(model, args).env("HF_HUB_DISABLE_PROGRESS_BARS", "1")
}

#[test]
fn control_characters_are_escaped_on_a_terminal_and_kept_in_json() {
    let args = ["--model", "demo", "tokenize", WILD];
    let table = shown(tokscope(args));
    for sign in ["<U+202E>", "<U+009B>", "<U+2066>", "␍"] {
        assert!(table.contains(sign), "{sign} in {table}");
    }
    let args = ["--model", "demo", "head", "--tokens", "500", WILD];
    let text = shown(tokscope(args));
    for sign in [
        "␛]52;c;",
        "␇",
        "␛[2J",
        "<U+202E>",
        "<U+009B>3A",
        "␡",
        "␈",
        "␍",
    ] {
        assert!(text.contains(sign), "{sign} in {text}");
    }
    let json = |json: &str| -> Value { serde_json::from_str(json).unwrap() };
    let args = ["--model", "demo", "tokenize", "--json", WILD];
    let on_a_pipe = tokscope(args).ok();
    assert_eq!(json(&on_a_pipe)["text"], WILD);
    // On a pipe, only the characters that JSON requires to be escaped are escaped.
    assert!(
        on_a_pipe.contains("\u{9b}3A\u{202e}txt\u{2066}\u{200b}"),
        "{on_a_pipe}"
    );
    let on_a_terminal = shown(tokscope(args));
    assert!(on_a_terminal.contains("\\u202e"), "{on_a_terminal}");
    assert_eq!(json(&on_a_terminal), json(&on_a_pipe));
}

#[test]
fn no_command_sends_control_characters_of_a_model_to_a_terminal() {
    let outer = model();
    let model = outer.path().join("m");
    let file = format!("{}.txt", WILD.replace('/', ""));
    let lock = format!("{WILD}.lock");
    let commands: &[&[&str]] = &[
        &["tokenize", WILD],
        &["tokenize", "-f", &file],
        &["tokenize", "--pieces", WILD],
        &["decode", "2", "1", "3"],
        &["decode", "--each", "2", "3"],
        &["count", "."],
        &["count", "--text", WILD],
        &["count", "nowhere", WILD],
        &["info"],
        &["info", "--get", "config.model_type"],
        &["info", "--strict"],
        &["vocab"],
        &["vocab", "--grep", "a"],
        &["vocab", "--piece", WILD],
        &["vocab", "--piece", "x\u{1b}[2J"],
        &["embed", WILD],
        &["embed", "--all", "--full"],
        &["embed", "--piece", "x\u{1b}[2J"],
        &["embed", "--id", "2", "-o", "x.\u{1b}[2J"],
        &["diff", "--id", "2", "--id", "3"],
        &["diff", "plain plain", WILD],
        &["neighbors", "--id", "2", "--id", "3"],
        &["neighbors", "--vector", &file],
        &["similarity", WILD],
        &["stats"],
        &["verify", &file],
        &["convert", "--to", "tokenizer.json", "-o", "-"],
        &["chunk", "--max-length", "1", "-f", &file],
        &["head", "--tokens", "1", "-f", &file],
        &["tail", "--tokens", "1", WILD],
        &["lock", "--lock-file", &lock],
        &["check", "--lock-file", &lock],
        &["grep", "--id", "2", "."],
        &["grep", "--unknown", &file],
        &["\u{1b}[2J\u{202e}"],
        &["info", "--model", "x\u{1b}[2J/y"],
    ];
    let mut shows_text = 0;
    for format in [
        &[][..],
        &["--json"],
        &["--format", "csv"],
        &["--format", "tsv"],
        &["-v"],
    ] {
        for command in commands {
            let args = [format, *command].concat();
            let shown = shown(call(&model, &args).current_dir(&model));
            shows_text += usize::from(shown.contains("]52;c;"));
        }
    }
    // The tables do contain the text.
    assert!(shows_text > 60, "{shows_text}");
}

#[test]
fn control_characters_in_damaged_files_are_escaped() {
    let tensor = |value: Value| {
        let header = serde_json::to_vec(&json!({format!("{WILD}.wte.weight"): value})).unwrap();
        [&(header.len() as u64).to_le_bytes()[..], &header].concat()
    };
    let index = json!({"weight_map": {"wte.weight": format!("../{WILD}")}});
    let files: Vec<(&str, Vec<u8>)> = vec![
        (
            "config.json",
            serde_json::to_vec(&json!({"model_type": [WILD]})).unwrap(),
        ),
        ("config.json", WILD.into()),
        (
            "tokenizer_config.json",
            serde_json::to_vec(&json!({"model_max_length": WILD})).unwrap(),
        ),
        (
            "tokenizer.json",
            serde_json::to_vec(&json!({"model": WILD})).unwrap(),
        ),
        (
            "tokenizer.json",
            serde_json::to_vec(&json!({"model": {"type": WILD, "vocab": {WILD: 0}}})).unwrap(),
        ),
        (
            "added_tokens.json",
            serde_json::to_vec(&json!({WILD: -1})).unwrap(),
        ),
        (
            "model.safetensors",
            tensor(json!({"dtype": WILD, "shape": [1, 1], "data_offsets": [0, 4]})),
        ),
        (
            "model.safetensors",
            tensor(json!({"dtype": "F32", "shape": [1, 1], "data_offsets": [4, 0]})),
        ),
        (
            "model.safetensors.index.json",
            serde_json::to_vec(&index).unwrap(),
        ),
        (
            "model.safetensors.index.json",
            serde_json::to_vec(&json!({"weight_map": {"wte.weight": "a\u{202e}b"}})).unwrap(),
        ),
        (
            "tokscope.toml",
            format!("\"{}\" = 1", "\u{202e}x").into_bytes(),
        ),
        ("tokscope.toml", "[count]\n\"\\u001b[2J\" = 1".into()),
        (
            "tokscope.lock",
            serde_json::to_vec(&json!({"version": 1, "model": [WILD]})).unwrap(),
        ),
    ];
    for (name, bytes) in files {
        let outer = model();
        let model = outer.path().join("m");
        if name == "added_tokens.json" {
            fs::write(model.join("tokenizer_config.json"), "{}").unwrap();
        }
        if name.contains("index") {
            fs::remove_file(model.join("model.safetensors")).unwrap();
        }
        fs::write(model.join(name), bytes).unwrap();
        let args: &[&str] = match name {
            "tokscope.toml" => &["count", "--ci"],
            "tokscope.lock" => &["check"],
            // Other commands do not read it.
            "config.json" => &["info"],
            _ => &["embed", "plain"],
        };
        let call = call(&model, args).current_dir(&model);
        let shown = shown(call);
        assert!(shown.starts_with("error: "), "{name}: {shown}");
    }
}

/// Starts a server that answers every request with the same bytes. Returns its address.
fn server(answer: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    // The thread ends with the test process.
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut stream = stream;
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(&answer);
        }
    });
    address
}

#[test]
fn control_characters_from_a_server_are_escaped() {
    let headers = WILD.replace(['\r', '\u{8}', '\u{7f}', '\u{1b}', '\u{7}'], "");
    let json = json!({"error": WILD, "sha": WILD, "siblings": [{"rfilename": WILD}]}).to_string();
    for head in [
        format!("HTTP/1.1 418 {WILD}\r\n"),
        format!("HTTP/1.1 404 no\r\nX-Error-Code: {headers}\r\nX-Error-Message: {headers}\r\n"),
        format!("HTTP/1.1 403 no\r\nX-Error-Code: GatedRepo\r\nX-Error-Message: {headers}\r\n"),
        format!("HTTP/1.1 200 OK\r\nX-Repo-Commit: {headers}\r\nETag: \"{headers}\"\r\n"),
        format!("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/{headers}\r\n"),
        format!("HTTP/1.1 302 Found\r\nLocation: {headers}\r\n"),
        format!("{WILD}\r\n"),
    ] {
        let length = json.len();
        let answer = format!("{head}Content-Length: {length}\r\nConnection: close\r\n\r\n{json}");
        let endpoint = server(answer.into_bytes());
        for args in [
            &["info"][..],
            &["-v", "embed", "a"],
            &["pull"],
            &["--json", "info"],
        ] {
            let home = tempfile::tempdir().unwrap();
            let call = on("o/n".as_ref(), args)
                .env("HF_ENDPOINT", &endpoint)
                .env("HF_HOME", home.path())
                .env("HF_HUB_DISABLE_PROGRESS_BARS", "1");
            let shown = shown(call);
            assert!(shown.contains("error: "), "{head:?} {args:?}: {shown}");
        }
    }
}
