//! `chat`, `tokenize --chat`, and `count --chat` as a user runs them.

use std::fs;

use crate::records::one;
use crate::support::{Call, demo, on, repository};

const CHAT: &str = r#"[{"role":"system","content":"Be brief."},{"role":"user","content":"Hi"},
    {"role":"assistant","content":"Yo"}]"#;

/// Prepares a call with our model, whose tokens are characters.
fn ours(args: &[&str]) -> Call {
    on(&repository("tests/fixtures/chat/model"), args)
}

const RENDERED: &str = "<s><system>Be brief.</system><user>Hi</user><assistant>Yo</assistant>";

#[test]
fn the_rendered_text_is_printed() {
    assert_eq!(ours(&["chat", CHAT]).ok(), format!("{RENDERED}\n"));
    let prompted = ours(&["chat", "--add-generation-prompt"]).stdin(CHAT).ok();
    assert_eq!(prompted, format!("{RENDERED}<assistant>\n"));
    let continued = ours(&["chat", "--continue-final-message", CHAT]).ok();
    assert_eq!(
        continued,
        format!("{}\n", RENDERED.strip_suffix("</assistant>").unwrap())
    );
}

#[test]
fn messages_have_their_tokens_and_the_template_the_others() {
    let record = one(&ours(&["chat", "--json", CHAT]).ok()).chat();
    assert_eq!(
        (&*record.text, record.chat.template.as_str()),
        (RENDERED, "default")
    );
    let mut end = 3;
    let roles = ["system", "user", "assistant"];
    assert_eq!(record.chat.messages.len(), roles.len());
    for (message, role) in record.chat.messages.iter().zip(roles) {
        assert_eq!(message.role.as_deref(), Some(role));
        assert_eq!(message.start, Some(end));
        end = message.end.unwrap();
        let text = &record.text[message.start.unwrap()..end];
        assert!(text.starts_with(&format!("<{role}>")) && text.ends_with(&format!("</{role}>")));
        // Spaces are tokens, too: each is unknown.
        assert_eq!(message.tokens, Some(text.len()));
    }
    assert_eq!(end, record.text.len());
    assert_eq!(record.chat.overhead_tokens, 1);
    assert_eq!(record.count, 1 + record.text.len() - 3);
}

#[test]
fn the_tokens_of_a_conversation_say_whose_they_are() {
    let record = one(&ours(&["tokenize", "--chat", "--json", CHAT]).ok()).tokenize();
    let chat = record.chat.unwrap();
    assert_eq!(record.text, RENDERED);
    assert_eq!(record.ids[0], 1);
    let owners = chat.message_ids.unwrap();
    assert_eq!(owners.len(), record.ids.len());
    for (index, message) in chat.messages.iter().enumerate() {
        let tokens = owners.iter().filter(|owner| **owner == Some(index)).count();
        assert_eq!(Some(tokens), message.tokens);
    }
    let overhead = owners.iter().filter(|owner| owner.is_none()).count();
    assert_eq!(overhead, chat.overhead_tokens);
    let count = one(&ours(&["count", "--chat", "--json", "--text", CHAT]).ok()).count();
    assert_eq!(count.tokens, record.ids.len());
    assert_eq!(count.chat.unwrap().overhead_tokens, overhead);
}

#[test]
fn each_line_may_be_a_conversation() {
    let lines = "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}\n\n[{\"role\":\"user\",\"content\":\"bc\"}]\n";
    let texts = "<s><user>a</user>\n<s><user>bc</user>\n";
    assert_eq!(ours(&["chat"]).stdin(lines).ok(), texts);
    assert_eq!(ours(&["chat", "--jsonl"]).stdin(lines).ok(), texts);
    let counts = "15\n16\n      31 total\n";
    assert_eq!(ours(&["count", "--chat"]).stdin(lines).ok(), counts);
    assert_eq!(
        ours(&["count", "--chat", "--jsonl"]).stdin(lines).ok(),
        "15\n16\n"
    );
}

#[test]
fn prompts_are_held_to_a_budget() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("prompt.json");
    fs::write(&path, CHAT).unwrap();
    let path = path.to_str().unwrap();
    ours(&["count", "--chat", path, "--budget", "8k"]).exit(0);
    let over = ours(&["count", "--chat", path, "--budget", "8"]).exit(1);
    assert!(over.stdout.contains("over 8 by"), "{}", over.stdout);
}

#[test]
fn rendered_text_is_cut_into_chunks() {
    let chunks = ours(&["chunk", "--chat", "--json", "--max-length", "9", CHAT]).ok();
    let mut text = String::new();
    for line in chunks.lines() {
        let chunk: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(chunk["start"], text.len());
        assert!(chunk["count"].as_u64().unwrap() <= 9);
        text.push_str(chunk["text"].as_str().unwrap());
    }
    assert_eq!(text, RENDERED);
    // `<s>` is one token, and the template spells it out: the model adds no other.
    let whole = ours(&["chunk", "--chat", "--json", "--max-length", "500", CHAT]).ok();
    let whole: serde_json::Value = serde_json::from_str(&whole).unwrap();
    assert_eq!(whole["count"], RENDERED.len() - 2);
    let refused = ours(&["chunk", "--max-length", "9", "--tools", "x.json", "a"]).exit(2);
    assert!(
        refused.stderr.contains("--tools is for conversations"),
        "{}",
        refused.stderr
    );
}

#[test]
fn a_refusal_of_a_template_is_its_sentence() {
    let template = repository("demo/chat.jinja");
    let template = template.to_str().unwrap();
    let chat = r#"[{"role":"narrator","content":"x"}]"#;
    let refused = demo(["chat", "--template", template, chat]).exit(2);
    assert!(
        refused
            .stderr
            .contains("refuses the messages: no message is from `narrator` here"),
        "{}",
        refused.stderr
    );
}

#[test]
fn an_input_that_is_no_conversation_is_refused() {
    for (input, problem) in [
        ("[]", "a conversation without messages"),
        ("{}", "an object without `messages`"),
        ("3", "neither a list of messages"),
        ("[1]", "message 0 must be an object"),
        ("{\"messages\":{}}", "`messages` must be a list"),
        (
            "{\"messages\":[{}],\"tools\":[1]}",
            "each of the `tools` must be an object",
        ),
        ("not json", "not JSON"),
    ] {
        let refused = ours(&["chat", input]).exit(2);
        assert!(
            refused.stderr.contains(problem),
            "{input}: {}",
            refused.stderr
        );
    }
    let no_template = demo(["chat", CHAT]).exit(2);
    assert!(
        no_template.stderr.contains("has no chat template"),
        "{}",
        no_template.stderr
    );
    let without = ours(&["tokenize", "--date", "2024-01-01", "a"]).exit(2);
    assert!(
        without.stderr.contains("--date is for conversations"),
        "{}",
        without.stderr
    );
}

#[test]
fn parts_that_are_not_text_are_counted_as_placeholders_and_noted() {
    let template = repository("demo/chat.jinja");
    let template = template.to_str().unwrap();
    let chat = r#"[{"role":"user","content":[{"type":"image"},{"type":"text","text":"a"}]}]"#;
    let answer = demo(["chat", "--json", "--template", template, chat]).exit(0);
    assert_eq!(one(&answer.stdout).chat().chat.media_parts, Some(1));
    assert!(
        answer.stderr.contains("its placeholder is counted"),
        "{}",
        answer.stderr
    );
}

#[test]
fn a_template_that_does_too_much_ends_in_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hostile.jinja");
    let doubled = "{% set ns = namespace(s=[1], t=[1]) %}{% for i in range(64) %}\
        {% set ns.s = [ns.s, ns.s] %}{% set ns.t = [ns.t, ns.t] %}{% endfor %}";
    for (template, problem) in [
        (
            "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
                .to_owned(),
            "it takes too",
        ),
        (format!("{doubled}{{{{ ns.s == ns.t }}}}"), "it takes too"),
        (
            format!("{{{{ 1{} }}}}", "+1".repeat(9999)),
            "a tag has more than 4096 tokens",
        ),
        (
            format!("{{% if a %}}{}{{% endif %}}", "{% elif a %}".repeat(9999)),
            "there are more than 4096 `elif` tags",
        ),
        (
            "{{ '{:>1000000000000}'.format(1) }}".to_owned(),
            "three digits",
        ),
        (
            "{% set ns = namespace() %}{% set (ns.a, b) = [[ns], 1] %}{{ ns|upper }}".to_owned(),
            "a namespace keeps a namespace",
        ),
        (
            "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}".to_owned(),
            "recursion limit",
        ),
    ] {
        fs::write(&path, &template).unwrap();
        let refused = ours(&["chat", "--template", path.to_str().unwrap(), CHAT]);
        let refused = refused.run();
        assert!(
            matches!(refused.code, 2 | 4),
            "{}: {}",
            refused.code,
            refused.stderr
        );
        assert!(
            refused.stderr.contains(problem),
            "{problem}: {}",
            refused.stderr
        );
    }
}
