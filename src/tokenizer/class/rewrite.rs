//! Changes the steps of a `tokenizer.json` as its class does when the reference loads it.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokenizers::normalizers::NormalizerWrapper;
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::processors::PostProcessorWrapper;

use super::kinds::{Class, Rewrite};
use super::template::{self, Built, Ids};
use crate::formats::class_settings::ClassSettings;
use crate::formats::setting::Setting;
use crate::formats::tokenizer_json::RestJson;
use crate::tokenizer::hf_guard::catch_panic;

/// The effect of a class on a `tokenizer.json`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcome {
    /// The changes, such as `normalizer.lowercase = true`.
    pub changes: Vec<String>,
    /// Sentences about settings that the reference refuses, or that cannot be followed here.
    pub problems: Vec<String>,
}

/// The steps that a class changed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ChangedSteps {
    pub normalizer: bool,
    pub pre_tokenizer: bool,
    pub post_processor: bool,
    pub decoder: bool,
}

/// The steps of a `tokenizer.json`.
struct Steps<'r> {
    normalizer: Step<'r>,
    pre_tokenizer: Step<'r>,
    post_processor: Step<'r>,
    decoder: Step<'r>,
}

/// A step, and what it was before it was set. A character map is large, so it is not copied beforehand.
struct Step<'r> {
    now: &'r mut Value,
    before: Option<Value>,
}

impl<'r> Step<'r> {
    fn new(now: &'r mut Value) -> Self {
        Self { now, before: None }
    }

    fn set(&mut self, step: Value) {
        let before = std::mem::replace(self.now, step);
        self.before.get_or_insert(before);
    }

    fn is_changed(&self) -> bool {
        (self.before.as_ref()).is_some_and(|before| before != self.now)
    }
}

/// Changes the steps of `rest`.
pub fn apply(
    class: &Class,
    settings: &ClassSettings,
    ids: &Ids<'_>,
    rest: &mut RestJson,
    outcome: &mut Outcome,
) -> ChangedSteps {
    let mut steps = Steps {
        normalizer: Step::new(&mut rest.normalizer),
        pre_tokenizer: Step::new(&mut rest.pre_tokenizer),
        post_processor: Step::new(&mut rest.post_processor),
        decoder: Step::new(&mut rest.decoder),
    };
    prefix_space(class, settings, &mut steps.pre_tokenizer);
    for rewrite in class.rewrites {
        if let Err(problem) = one(*rewrite, class, settings, ids, &mut steps, outcome) {
            outcome.problems.push(problem);
        }
    }
    for (name, step) in [
        ("normalizer", &steps.normalizer),
        ("pre_tokenizer", &steps.pre_tokenizer),
        ("post_processor", &steps.post_processor),
        ("decoder", &steps.decoder),
    ] {
        let is_template = || step.now["type"] == "TemplateProcessing";
        if let Some(before) = &step.before
            && !(name == "post_processor" && is_template())
        {
            describe(name, before, step.now, &mut outcome.changes);
        }
    }
    ChangedSteps {
        normalizer: steps.normalizer.is_changed(),
        pre_tokenizer: steps.pre_tokenizer.is_changed(),
        post_processor: steps.post_processor.is_changed(),
        decoder: steps.decoder.is_changed(),
    }
}

fn one(
    rewrite: Rewrite,
    class: &Class,
    settings: &ClassSettings,
    ids: &Ids<'_>,
    steps: &mut Steps<'_>,
    outcome: &mut Outcome,
) -> Result<(), String> {
    let post_processor = &mut steps.post_processor;
    match rewrite {
        Rewrite::BertNormalizer { chinese } => {
            bert_normalizer(settings, chinese, &mut steps.normalizer)
        }
        Rewrite::PostPrefixSpace => {
            let default = class.prefix_space.unwrap_or_default();
            let space = &settings.add_prefix_space;
            post_flag("add_prefix_space", space, default, post_processor)
        }
        Rewrite::PostTrimOffsets => {
            post_flag("trim_offsets", &settings.trim_offsets, true, post_processor)
        }
        Rewrite::PrefixSpaceEverywhere => {
            if settings.add_prefix_space.truth_or(false) {
                for step in [&mut steps.pre_tokenizer, &mut steps.decoder] {
                    let mut changed = step.now.clone();
                    set_everywhere(&mut changed);
                    step.set(changed);
                }
            }
            Ok(())
        }
        Rewrite::BosEos { bos, eos } => {
            let bos = settings.add_bos_token.truth_or(bos);
            let eos = settings.add_eos_token.truth_or(eos);
            replace(template::bos_eos(ids, bos, eos)?, post_processor, outcome);
            Ok(())
        }
        Rewrite::Language(language) => {
            let built = template::language(ids, &language, settings)?;
            replace(built, post_processor, outcome);
            Ok(())
        }
        Rewrite::NoBos if settings.add_bos_token.truth_or(false) => {
            Err("the class refuses `add_bos_token`".to_owned())
        }
        Rewrite::NeedsSequence if steps.pre_tokenizer.now["type"] != "Sequence" => {
            Err("the class needs a pre-tokenizer that is a Sequence".to_owned())
        }
        Rewrite::Jieba => Err(
            "the class splits words with the dictionary of jieba, which tokscope does not have"
                .to_owned(),
        ),
        Rewrite::NoBos
        | Rewrite::NeedsSequence
        | Rewrite::PrefixSpaceFromSlow
        | Rewrite::TokensFromSlow => Ok(()),
    }
}

fn replace((built, shown): Built, post_processor: &mut Step<'_>, outcome: &mut Outcome) {
    if *post_processor.now != built {
        outcome.changes.push(format!("post_processor = {shown}"));
        post_processor.set(built);
    }
}

/// Returns a step as the crate writes it, with all its fields. Returns `None` if the crate cannot read it.
fn normal_form<T: DeserializeOwned + Serialize>(step: &Value) -> Option<Value> {
    let step = step.clone();
    catch_panic(|| serde_json::to_value(serde_json::from_value::<T>(step).ok()?).ok())?
}

/// Sets `add_prefix_space` of a ByteLevel pre-tokenizer, which every class does. The pre-tokenizer is made anew, with
/// the default of `trim_offsets`. A value that is not a flag has no effect.
fn prefix_space(class: &Class, settings: &ClassSettings, pre_tokenizer: &mut Step<'_>) {
    // Without the setting, these classes pass on `None`, which changes nothing; with it, they do not read the file.
    let is_passed_on = |rewrite: &Rewrite| matches!(rewrite, Rewrite::PrefixSpaceFromSlow);
    if class.rewrites.iter().any(is_passed_on) {
        return;
    }
    // These have no such flag, and their patterns take long to compile.
    if ["Sequence", "Split"]
        .iter()
        .any(|kind| pre_tokenizer.now["type"] == *kind)
    {
        return;
    }
    let wanted = match class.prefix_space {
        Some(default) => settings.add_prefix_space.or(default.into()),
        None => false.into(),
    };
    let Some(mut step) = normal_form::<PreTokenizerWrapper>(pre_tokenizer.now) else {
        return;
    };
    let present = step.get("add_prefix_space").and_then(Value::as_bool);
    if let (Some(present), Some(flag)) = (present, wanted.flag())
        && present != flag
    {
        step["add_prefix_space"] = json!(flag);
        step["trim_offsets"] = json!(true);
        pre_tokenizer.set(step);
    }
}

/// Sets a flag of a post-processor that has it.
fn post_flag(
    name: &str,
    setting: &Setting,
    default: bool,
    post_processor: &mut Step<'_>,
) -> Result<(), String> {
    let wanted = setting.or(default.into());
    let Some(mut step) = normal_form::<PostProcessorWrapper>(post_processor.now) else {
        return Ok(());
    };
    match step.get(name).and_then(Value::as_bool) {
        Some(present) if !wanted.equals(present) => {
            // A ByteLevel post-processor takes `null` for its own default.
            let is_default = wanted == Setting::Null && step["type"] == "ByteLevel";
            step[name] = json!(is_default || required_flag(name, &wanted)?);
            post_processor.set(step);
        }
        _ => {}
    }
    Ok(())
}

fn required_flag(name: &str, setting: &Setting) -> Result<bool, String> {
    let flag = setting.flag();
    flag.ok_or_else(|| format!("`{name}` must be true or false, not {setting}"))
}

fn bert_normalizer(
    settings: &ClassSettings,
    chinese: bool,
    normalizer: &mut Step<'_>,
) -> Result<(), String> {
    if normalizer.now.is_null() {
        return Err("the class needs a normalizer".to_owned());
    }
    let Some(mut step) = normal_form::<NormalizerWrapper>(normalizer.now) else {
        return Ok(());
    };
    let lowercase = settings.do_lower_case.or(true.into());
    let accents = settings.strip_accents.or(Setting::Null);
    let characters = settings.tokenize_chinese_chars.or(true.into());
    let is = |name: &str, wanted: &Setting| match step.get(name) {
        None => true,
        Some(Value::Null) => *wanted == Setting::Null,
        Some(present) => present
            .as_bool()
            .is_some_and(|present| wanted.equals(present)),
    };
    let is_chinese_set = !chinese || is("handle_chinese_chars", &characters);
    if is("lowercase", &lowercase) && is("strip_accents", &accents) && is_chinese_set {
        return Ok(());
    }
    step["lowercase"] = json!(required_flag("do_lower_case", &lowercase)?);
    step["strip_accents"] = match &accents {
        Setting::Null => Value::Null,
        accents => json!(required_flag("strip_accents", accents)?),
    };
    if chinese {
        let flag = required_flag("tokenize_chinese_chars", &characters)?;
        step["handle_chinese_chars"] = json!(flag);
    }
    normalizer.set(step);
    Ok(())
}

/// Sets every `add_prefix_space` that is false.
fn set_everywhere(step: &mut Value) {
    match step {
        Value::Object(fields) => {
            for (name, value) in fields {
                if name == "add_prefix_space" && *value == json!(false) {
                    *value = json!(true);
                } else {
                    set_everywhere(value);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(set_everywhere),
        _ => {}
    }
}

/// Describes the differences between two steps, each with its path.
fn describe(path: &str, before: &Value, after: &Value, changes: &mut Vec<String>) {
    match (before, after) {
        _ if before == after => {}
        (Value::Object(before), Value::Object(after)) => {
            for (name, value) in after {
                let before = before.get(name).unwrap_or(&Value::Null);
                describe(&format!("{path}.{name}"), before, value, changes);
            }
        }
        (Value::Array(before), Value::Array(after)) if before.len() == after.len() => {
            for (index, (before, after)) in before.iter().zip(after).enumerate() {
                describe(&format!("{path}.{index}"), before, after, changes);
            }
        }
        _ => changes.push(format!("{path} = {after}")),
    }
}
