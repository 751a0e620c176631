//! Renders conversations with the template of a model.

use std::path::Path;
use std::sync::OnceLock;

use serde_json::{Map, Value};

use super::continuation::Continuation;
use super::conversation::Conversation;
use super::engine::{Dialect, Failure, Moment, Template};
use super::model_template::{ModelTemplate, ModelTemplates, additional};
use super::prompt::Prompt;
use super::rules::Rules;
use crate::error::{Error, Result};
use crate::source::ModelFiles;
use crate::tokenizer::Tokenizer;

/// How conversations are rendered.
#[derive(Debug, Clone)]
pub struct ChatOptions {
    pub add_generation_prompt: bool,
    pub continue_final_message: bool,
    /// The name of a template of the model, or else of a file.
    pub template: Option<String>,
    /// Further variables of the template.
    pub kwargs: Map<String, Value>,
    /// The tools of conversations that name none.
    pub tools: Option<Vec<Value>>,
    pub now: Moment,
    pub rules: Rules,
}

/// The chat templates of a model, ready to render conversations.
pub struct Chat {
    templates: Templates,
    special_tokens: Map<String, Value>,
    options: ChatOptions,
}

/// The template for conversations without tools, and the one for those with tools.
struct Templates {
    plain: Lazy,
    tools: Option<Lazy>,
}

/// A template that is compiled when it is needed.
struct Lazy {
    template: ModelTemplate,
    compiled: OnceLock<Result<Template, Failure>>,
}

impl From<ModelTemplate> for Lazy {
    fn from(template: ModelTemplate) -> Self {
        Self {
            template,
            compiled: OnceLock::new(),
        }
    }
}

impl Chat {
    /// Finds the templates of a model.
    ///
    /// # Errors
    /// Fails with [`Error::MissingPart`] if it has none, with [`Error::Usage`] if it has none of the name that was
    /// chosen, and with the error of reading a file.
    pub fn open(files: &ModelFiles, tokenizer: &Tokenizer, options: ChatOptions) -> Result<Self> {
        let special_tokens = special_tokens(tokenizer, options.rules);
        let templates = match &options.template {
            Some(name) => Templates {
                plain: chosen(files, name, options.rules)?.into(),
                tools: None,
            },
            None => of_model(files, options.rules)?,
        };
        Ok(Self {
            templates,
            special_tokens,
            options,
        })
    }

    /// Returns the rules of the chat.
    pub fn rules(&self) -> Rules {
        self.options.rules
    }

    /// Renders a conversation.
    ///
    /// # Errors
    /// Fails with [`Error::TemplateRefused`] if the template raises an exception of its own, with
    /// [`Error::TemplateFailed`] if it fails in another way, and with [`Error::Unsupported`] if it cannot be read.
    pub fn render(&self, conversation: &Conversation) -> Result<Prompt> {
        let options = &self.options;
        let mut conversation = conversation.clone();
        let messages = conversation.messages.iter_mut();
        messages.for_each(|message| options.rules.normalize(message));
        let tools = conversation.tools.take().or_else(|| options.tools.clone());
        let Templates {
            plain,
            tools: for_tools,
        } = &self.templates;
        let lazy = for_tools
            .as_ref()
            .filter(|_| tools.is_some())
            .unwrap_or(plain);
        let unfit = |problem: String| Error::TemplateFailed {
            template: lazy.template.file.clone(),
            problem,
        };
        let continuation = match options.continue_final_message {
            true => Some(Continuation::prepare(&mut conversation, options.rules).map_err(unfit)?),
            false => None,
        };
        let compiled = lazy.compiled.get_or_init(|| {
            let dialect = Dialect {
                now: options.now,
                refuses_private_names: options.rules.refuses_private_names(),
                notes_first_generation: options.rules.notes_first_generation(),
            };
            Template::new(&lazy.template.source, dialect)
        });
        let failed = |failure: &Failure| error(failure, &lazy.template.file);
        let template = compiled.as_ref().map_err(failed)?;
        let mut variables = self.special_tokens.clone();
        let list = |items: Option<Vec<Value>>| items.map_or(Value::Null, Value::Array);
        let add = Value::Bool(options.add_generation_prompt);
        variables.insert("tools".to_owned(), list(tools));
        variables.insert("documents".to_owned(), list(conversation.documents.take()));
        variables.insert("add_generation_prompt".to_owned(), add);
        variables.extend(options.kwargs.clone());
        let rendered = template.render(&conversation.messages, &variables, conversation.size);
        let rendered = rendered.map_err(|failure| failed(&failure))?;
        let mut prompt = Prompt {
            text: rendered.text,
            messages: vec![None; conversation.messages.len()],
            generated: template.has_generation().then_some(rendered.generated),
            template: lazy.template.name.clone(),
        };
        for (index, range) in rendered.messages {
            if let Some(place) = prompt.messages.get_mut(index) {
                *place = Some(range);
            }
        }
        if let Some(continuation) = continuation {
            let length = continuation.length(&prompt.text).map_err(unfit)?;
            prompt.cut(length);
        }
        Ok(prompt)
    }
}

/// Returns the special tokens that a template gets, by name.
fn special_tokens(tokenizer: &Tokenizer, rules: Rules) -> Map<String, Value> {
    let named = tokenizer.special_tokens().into_iter();
    let named = named.filter(|(_, text, _)| !text.is_empty());
    let mut tokens: Map<String, Value> = named
        .map(|(name, text, _)| (name.to_owned(), Value::from(text)))
        .collect();
    let additional = tokenizer.additional_special_tokens();
    if rules.shows_additional_tokens() && !additional.is_empty() {
        tokens.insert(
            "additional_special_tokens".to_owned(),
            Value::from(additional),
        );
    }
    tokens
}

fn of_model(files: &ModelFiles, rules: Rules) -> Result<Templates> {
    let Some(templates) = ModelTemplates::read(files, rules)? else {
        let missing = files.missing("chat template", &["tokenizer_config.json"]);
        return Err(missing.with_hint("name the file of a template with `--template FILE`"));
    };
    let Some(plain) = templates.for_tools(false) else {
        let (place, names) = (files.place(), templates.names().join("`, `"));
        return Err(Error::usage_hint(
            format!("{place} has several chat templates, and none is called `default`"),
            format!("choose one of them with `--template NAME`: `{names}`"),
        ));
    };
    let tools = templates
        .for_tools(true)
        .filter(|template| template.name != plain.name);
    Ok(Templates {
        plain: plain.clone().into(),
        tools: tools.cloned().map(Lazy::from),
    })
}

/// Returns the template of the model with this name, or else the template in the file.
fn chosen(files: &ModelFiles, name: &str, rules: Rules) -> Result<ModelTemplate> {
    if let Some(source) = file(name)? {
        return Ok(source);
    }
    let templates = ModelTemplates::read(files, rules)?;
    let found = templates
        .as_ref()
        .and_then(|templates| templates.named(name))
        .cloned();
    if let Some(template) =
        found.map_or_else(|| additional(files, name), |found| Ok(Some(found)))?
    {
        return Ok(template);
    }
    let names = templates.map(|templates| templates.names().join("`, `"));
    let place = files.place();
    Err(match names {
        Some(names) => Error::usage_hint(
            format!("{place} has no chat template `{name}`, and there is no file of that name"),
            format!("it has `{names}`"),
        ),
        None => Error::usage(format!(
            "{place} has no chat templates, and there is no file `{name}`"
        )),
    })
}

/// Reads the template in a file. Returns `None` if there is no such file.
fn file(path: &str) -> Result<Option<ModelTemplate>> {
    if !Path::new(path).is_file() {
        return Ok(None);
    }
    let bytes = std::fs::read(path).map_err(|source| Error::ReadInput {
        input: path.to_owned(),
        source,
    })?;
    let source = String::from_utf8(bytes).map_err(|error| Error::NotUtf8 {
        input: path.to_owned(),
        offset: error.utf8_error().valid_up_to(),
    })?;
    Ok(Some(ModelTemplate {
        name: path.to_owned(),
        file: path.to_owned(),
        source,
    }))
}

fn error(failure: &Failure, file: &str) -> Error {
    let template = file.to_owned();
    match failure {
        Failure::Syntax { line, problem } => {
            let problem = format!("line {line} of its chat template: {problem}");
            Error::unsupported(file, problem)
        }
        Failure::Refused { message } => Error::template_refused(template, message),
        Failure::Failed { line, problem } => {
            Error::template_failed(template, format!("line {line}: {problem}"))
        }
        Failure::Unbounded { problem } => Error::template_failed(template, problem),
    }
}
