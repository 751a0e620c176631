//! Rendered text, ids, and masks against those of transformers, recorded by `tests/fixtures/chat/make_golden.py`.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use tokscope::chat::{Chat, ChatOptions, Conversation, Moment, Prompt, Rules, attribute};
use tokscope::model_ref::ModelRef;
use tokscope::tokenizer::{EncodeOptions, Tokenizer};

use crate::support::{files, json_lines, repository, shared};

/// The start of a digest by the name of the conversation; none where transformers fails.
type Digests = BTreeMap<String, Option<String>>;

#[derive(Deserialize)]
struct Golden {
    own: BTreeMap<String, Digests>,
    models: BTreeMap<String, Digests>,
    ids: BTreeMap<String, Digests>,
    masks: BTreeMap<String, Digests>,
}

/// A conversation, with the arguments of `apply_chat_template`.
#[derive(Deserialize)]
struct Example {
    name: String,
    messages: Vec<Value>,
    tools: Option<Vec<Value>>,
    documents: Option<Vec<Value>>,
    #[serde(default)]
    add_generation_prompt: bool,
    #[serde(default)]
    continue_final_message: bool,
    #[serde(default)]
    kwargs: Map<String, Value>,
}

/// Differences that are known: the reference fails, for want of a value of the right type or of any, and the program
/// renders.
const RENDERED_ONLY_HERE: &[(&str, &str)] = &[];

fn golden(rules: Rules) -> Golden {
    let name = match rules {
        Rules::Transformers4 => "golden-4.json",
        Rules::Transformers5 => "golden-5.json",
    };
    let path = repository("tests/fixtures/chat").join(name);
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn examples() -> Vec<Example> {
    let examples: Vec<Example> = json_lines(&repository("tests/fixtures/chat/conversations.jsonl"));
    assert!(examples.len() >= 60);
    examples
}

fn digest(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    digest
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn digest_of<T: serde::Serialize>(list: &T) -> String {
    digest(&serde_json::to_string(list).unwrap())
}

/// A model with a template, and the rules it is rendered by.
struct Model {
    folder: std::path::PathBuf,
    template: Option<String>,
    rules: Rules,
}

impl Model {
    fn new(folder: &Path, template: Option<&str>, rules: Rules) -> Self {
        Self {
            folder: folder.to_owned(),
            template: template.map(|name| {
                let path = repository("tests/fixtures/chat/templates").join(name);
                path.to_str().unwrap().to_owned()
            }),
            rules,
        }
    }

    fn tokenizer(&self) -> Tokenizer {
        Tokenizer::open(&files(&ModelRef::Directory(self.folder.clone()))).unwrap()
    }

    fn render(&self, tokenizer: &Tokenizer, example: &Example) -> Result<Prompt, String> {
        if example.messages.is_empty() {
            let json = serde_json::to_string(&example.messages).unwrap();
            return Err(Conversation::parse_all(&json).unwrap_err().problem);
        }
        let files = files(&ModelRef::Directory(self.folder.clone()));
        let options = ChatOptions {
            add_generation_prompt: example.add_generation_prompt,
            continue_final_message: example.continue_final_message,
            template: self.template.clone(),
            kwargs: example.kwargs.clone(),
            tools: None,
            now: Moment::parse("2024-07-26T09:05:03").unwrap(),
            rules: self.rules,
        };
        let chat = Chat::open(&files, tokenizer, options).unwrap();
        let conversation = Conversation {
            messages: example.messages.clone(),
            tools: example.tools.clone(),
            documents: example.documents.clone(),
            ..Conversation::default()
        };
        chat.render(&conversation)
            .map_err(|error| error.to_string())
    }

    /// Compares what `answer` makes of each prompt with the digests.
    fn check(
        &self,
        name: &str,
        expected: &Digests,
        answer: impl Fn(&Tokenizer, &Prompt) -> String,
    ) -> usize {
        self.check_except(name, expected, |_| false, answer)
    }

    /// Like [`Self::check`], without some of the examples.
    fn check_except(
        &self,
        name: &str,
        expected: &Digests,
        is_left_out: impl Fn(&Example) -> bool,
        answer: impl Fn(&Tokenizer, &Prompt) -> String,
    ) -> usize {
        let tokenizer = self.tokenizer();
        let mut compared = 0;
        for example in examples() {
            if is_left_out(&example) {
                continue;
            }
            let expected = &expected[&example.name];
            let rendered = self.render(&tokenizer, &example);
            let what = format!("{name}, {}: {rendered:#?}", example.name);
            match (expected, &rendered) {
                (Some(expected), Ok(prompt)) => {
                    assert_eq!(answer(&tokenizer, prompt), *expected, "{what}");
                    compared += 1;
                }
                (None, Err(_)) => {}
                (None, Ok(_)) => {
                    assert!(
                        RENDERED_ONLY_HERE.contains(&(name, &example.name)),
                        "{what}"
                    );
                }
                (Some(_), Err(_)) => panic!("{what}"),
            }
        }
        compared
    }
}

const RULES: [Rules; 2] = [Rules::Transformers4, Rules::Transformers5];

fn own_model() -> std::path::PathBuf {
    repository("tests/fixtures/chat/model")
}

#[test]
fn our_templates_render_as_in_transformers() {
    for rules in RULES {
        let golden = golden(rules);
        assert!(golden.own.len() >= 10);
        for (name, expected) in &golden.own {
            let model = Model::new(&own_model(), Some(name), rules);
            let compared = model.check(name, expected, |_, prompt| digest(&prompt.text));
            assert!(compared >= 30, "{name}: only {compared}");
        }
    }
}

#[test]
fn the_templates_of_models_render_as_in_transformers() {
    let Some(shared) = shared("the_templates_of_models_render_as_in_transformers") else {
        return;
    };
    for rules in RULES {
        for (name, expected) in &golden(rules).models {
            let model = Model::new(&shared.join("models").join(name), None, rules);
            model.check(name, expected, |_, prompt| digest(&prompt.text));
        }
    }
}

fn options() -> EncodeOptions {
    EncodeOptions::default().special_tokens(false)
}

#[test]
fn the_ids_of_rendered_text_are_those_of_transformers() {
    let Some(shared) = shared("the_ids_of_rendered_text_are_those_of_transformers") else {
        return;
    };
    for (name, expected) in &golden(Rules::Transformers4).ids {
        let model = Model::new(&shared.join("models").join(name), None, Rules::default());
        model.check(name, expected, |tokenizer, prompt| {
            digest_of(&tokenizer.ids(&prompt.text, &options()).unwrap())
        });
    }
}

#[test]
fn generation_masks_are_those_of_transformers() {
    let Some(shared) = shared("generation_masks_are_those_of_transformers") else {
        return;
    };
    for (name, expected) in &golden(Rules::Transformers4).masks {
        let (folder, template) = name.split_once(' ').unwrap();
        let folder = shared.join("models").join(folder);
        let model = Model::new(&folder, Some(template), Rules::default());
        // transformers makes no mask of a text that is to be continued.
        let is_continued = |example: &Example| example.continue_final_message;
        model.check_except(name, expected, is_continued, |tokenizer, prompt| {
            let encoded = tokenizer.encode(&prompt.text, None, &options()).unwrap();
            let offsets = encoded.into_first().offsets;
            digest_of(
                &attribute(prompt, &offsets, Rules::default())
                    .generated
                    .unwrap(),
            )
        });
    }
}

#[test]
fn messages_and_the_template_share_the_tokens() {
    for name in golden(Rules::Transformers4).own.keys() {
        let model = Model::new(&own_model(), Some(name), Rules::default());
        let tokenizer = model.tokenizer();
        for example in examples() {
            let Ok(prompt) = model.render(&tokenizer, &example) else {
                continue;
            };
            let encoded = tokenizer.encode(&prompt.text, None, &options()).unwrap();
            let offsets = encoded.into_first().offsets;
            let owners = attribute(&prompt, &offsets, Rules::default()).owners;
            assert_eq!(owners.len(), offsets.len());
            for (owner, (start, _)) in owners.iter().zip(&offsets) {
                let around = |index: usize| {
                    prompt.messages[index]
                        .as_ref()
                        .is_some_and(|range| range.contains(start))
                };
                match owner {
                    Some(index) => assert!(around(*index)),
                    None => assert!(!(0..prompt.messages.len()).any(around)),
                }
            }
        }
    }
}
