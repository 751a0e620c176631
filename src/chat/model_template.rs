//! The chat templates in the files of a model.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::rules::Rules;
use crate::error::{Error, Result};
use crate::formats::gguf::{Gguf, Value, model_file};
use crate::formats::json::parse_settings;
use crate::source::ModelFiles;

/// The file of a template of its own.
const TEMPLATE_FILE: &str = "chat_template.jinja";
const CONFIG: &str = "tokenizer_config.json";
const DEFAULT: &str = "default";
/// The template for conversations with tools.
const TOOL_USE: &str = "tool_use";
/// Bytes of a template that are read.
const MAX_BYTES: u64 = 1 << 20;

/// A template of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelTemplate {
    pub name: String,
    /// The file, for error messages.
    pub file: String,
    pub source: String,
}

/// The templates of a model, at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelTemplates {
    list: Vec<ModelTemplate>,
    /// True if the file has a list of named templates, and not just one.
    are_named: bool,
}

/// The setting with the template.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Settings {
    chat_template: Setting,
}

#[derive(Debug, Default, Deserialize)]
#[serde(untagged)]
enum Setting {
    One(String),
    Named(Vec<Named>),
    Other(IgnoredAny),
    #[default]
    Absent,
}

#[derive(Debug, Deserialize)]
struct Named {
    name: String,
    template: String,
}

impl ModelTemplates {
    /// Reads the templates of a model. Returns `None` if it has none.
    ///
    /// # Errors
    /// Fails if a file cannot be read.
    pub fn read(files: &ModelFiles, rules: Rules) -> Result<Option<Self>> {
        if files.only().is_none() {
            let mut templates = Self {
                list: Vec::new(),
                are_named: false,
            };
            templates.add_file(files, DEFAULT, TEMPLATE_FILE)?;
            if rules.has_additional_templates() {
                templates.add_additional(files, TOOL_USE)?;
                templates.are_named = templates
                    .list
                    .iter()
                    .any(|template| template.name != DEFAULT);
            }
            if templates.list.is_empty() {
                templates.add_settings(files)?;
            }
            if !templates.list.is_empty() {
                return Ok(Some(templates));
            }
        }
        Self::from_gguf(files)
    }

    fn add_file(&mut self, files: &ModelFiles, name: &str, file: &str) -> Result<()> {
        let Some(source) = files.find(file)? else {
            return Ok(());
        };
        let bytes = source.read(0..source.len().min(MAX_BYTES + 1))?;
        let text = String::from_utf8(bytes.into_owned()).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            Error::damaged(file, format!("the byte at offset {at} is not UTF-8"))
        })?;
        self.push(name, file, text);
        Ok(())
    }

    /// Adds a template of its own file.
    fn add_additional(&mut self, files: &ModelFiles, name: &str) -> Result<()> {
        self.add_file(
            files,
            name,
            &format!("additional_chat_templates/{name}.jinja"),
        )
    }

    fn add_settings(&mut self, files: &ModelFiles) -> Result<()> {
        let Some(file) = files.find(CONFIG)? else {
            return Ok(());
        };
        let settings: Settings = parse_settings(file.name(), &file.read_all()?)?;
        match settings.chat_template {
            Setting::One(source) => self.push(DEFAULT, CONFIG, source),
            Setting::Named(list) => {
                self.are_named = true;
                for Named { name, template } in list {
                    self.list.retain(|other| other.name != name);
                    self.push(&name, CONFIG, template);
                }
            }
            Setting::Absent => {}
            Setting::Other(_) => {
                let problem = "`chat_template` must be a template, or a list of named templates";
                return Err(Error::damaged(file.name(), problem));
            }
        }
        Ok(())
    }

    fn from_gguf(files: &ModelFiles) -> Result<Option<Self>> {
        const KEY: &str = "tokenizer.chat_template";
        let Some((name, file)) = model_file::find(files)? else {
            return Ok(None);
        };
        let header = Gguf::read(file.as_ref())?;
        let mut templates = Self {
            list: Vec::new(),
            are_named: false,
        };
        for (template, key) in [
            (DEFAULT, KEY.to_owned()),
            (TOOL_USE, format!("{KEY}.{TOOL_USE}")),
        ] {
            let Some(Value::Text(range)) = header.value(&key) else {
                continue;
            };
            let end = range.end.min(range.start + MAX_BYTES + 1);
            let bytes = file.read(range.start..end)?.into_owned();
            let text = String::from_utf8(bytes);
            let text = text.map_err(|_| Error::damaged(&*name, format!("`{key}` is not UTF-8")))?;
            templates.push(template, &name, text);
            templates.are_named |= template != DEFAULT;
        }
        Ok(Some(templates).filter(|templates| !templates.list.is_empty()))
    }

    fn push(&mut self, name: &str, file: &str, source: String) {
        self.list.push(ModelTemplate {
            name: name.to_owned(),
            file: file.to_owned(),
            source,
        });
    }

    /// Returns the template with this name.
    pub fn named(&self, name: &str) -> Option<&ModelTemplate> {
        self.list.iter().find(|template| template.name == name)
    }

    /// Returns the template for conversations with or without tools. `None` if several have other names.
    pub fn for_tools(&self, has_tools: bool) -> Option<&ModelTemplate> {
        let tool_use = self.named(TOOL_USE).filter(|_| has_tools && self.are_named);
        tool_use.or_else(|| self.named(DEFAULT))
    }

    /// Returns the names, sorted.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.list.iter().map(|template| &*template.name).collect();
        names.sort_unstable();
        names
    }
}

/// Reads the template `name` of a model from its own file, whatever the rules say.
///
/// # Errors
/// Fails if the file cannot be read.
pub fn additional(files: &ModelFiles, name: &str) -> Result<Option<ModelTemplate>> {
    let mut templates = ModelTemplates {
        list: Vec::new(),
        are_named: true,
    };
    let is_name = !name.is_empty() && !name.contains(['/', '\\', '\0']) && !name.starts_with('.');
    if files.only().is_none() && is_name {
        templates.add_additional(files, name)?;
    }
    Ok(templates.list.pop())
}
