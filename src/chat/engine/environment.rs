//! The functions, filters, tests, and methods that a template has.

use std::sync::Arc;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Kwargs, Rest, Tuple, Value, ValueKind, ValueOrKwargs};
use minijinja::{Environment, Error, ErrorKind, State, UndefinedBehavior};

use super::clock::Moment;
use super::filters::is_iterable;
use super::string_methods::pay;
use super::tracker::{Message, Tracker};
use super::{attributes, filters, methods, printing, rewrite};

/// The name of the variable with the [`Tracker`].
pub const TRACKER: &str = "tokscope_tracker";
/// The name of the only template.
pub const NAME: &str = "chat template";
/// Nested calls and loops.
const MAX_RECURSION: usize = 200;

/// What it costs to look at a value, in bytes of text.
const BYTES_A_VALUE: usize = 64;

/// What differs from one use of templates to another.
#[derive(Debug, Clone, Copy)]
pub struct Dialect {
    /// The moment that `strftime_now` prints.
    pub now: Moment,
    /// True if names of a namespace may not begin with an underscore.
    pub refuses_private_names: bool,
    /// True if generated text is noted even at the start of the text.
    pub notes_first_generation: bool,
}

/// Makes the environment of a template.
pub fn environment(dialect: Dialect) -> Environment<'static> {
    let mut env = Environment::new();
    if let Ok(syntax) = SyntaxConfig::builder().keep_trailing_newline(true).build() {
        env.set_syntax(syntax);
    }
    env.set_debug(false);
    env.set_undefined_behavior(UndefinedBehavior::Lenient);
    env.set_recursion_limit(MAX_RECURSION);
    env.set_unknown_method_callback(methods::call);
    env.set_formatter(printing::print);
    filters::add(&mut env);
    functions(&mut env, dialect);
    markers(&mut env, dialect);
    env
}

fn functions(env: &mut Environment<'static>, dialect: Dialect) {
    env.remove_global("debug");
    env.add_function("cycler", |items: Rest<Value>| {
        minijinja_contrib::globals::cycler(items.to_vec())
    });
    env.add_function("joiner", minijinja_contrib::globals::joiner);
    env.add_function(
        "raise_exception",
        |state: &State<'_, '_>, message: Value| {
            if let Some(tracker) = tracker(state) {
                tracker.refuse(message.to_string());
            }
            Err::<Value, _>(Error::new(ErrorKind::InvalidOperation, message.to_string()))
        },
    );
    env.add_function("strftime_now", move |format: String| {
        dialect.now.format(&format).ok_or_else(|| {
            let problem = format!("`strftime_now` does not know the format `{format}`");
            Error::new(ErrorKind::InvalidOperation, problem)
        })
    });
    if dialect.refuses_private_names {
        env.add_function("namespace", |names: Option<ValueOrKwargs>| {
            let given = names.clone().map(ValueOrKwargs::into_value);
            for name in given.iter().flat_map(Value::try_iter).flatten() {
                if name.as_str().is_some_and(|name| name.starts_with('_')) {
                    let problem =
                        format!("the name `{name}` of a namespace begins with an underscore");
                    return Err(Error::new(ErrorKind::InvalidOperation, problem));
                }
            }
            minijinja::functions::namespace(names)
        });
    }
}

/// Returns the items of a loop, whose number is known.
fn counted(state: &State<'_, '_>, items: &Value) -> Result<Value, Error> {
    if let Some(text) = items.as_str() {
        pay(state, text.len() * 32)?;
        let chars = text.chars().map(|c| Value::from(c.to_string()));
        return Ok(chars.collect::<Vec<_>>().into());
    }
    if items.is_undefined() || items.len().is_some() {
        return Ok(items.clone());
    }
    let mut list = Vec::new();
    for item in items.try_iter()?.checked() {
        pay(state, 64)?;
        list.push(item?);
    }
    Ok(list.into())
}

/// Returns true if one of some values is a namespace, or has one in its items. A namespace that could be in itself would
/// have no end when it is printed.
fn holds_namespace(state: &State<'_, '_>, values: &[Value]) -> Result<bool, Error> {
    let mut left = values.to_vec();
    while let Some(value) = left.pop() {
        // Values that are shared are seen as often as they are printed.
        pay(state, BYTES_A_VALUE)?;
        let object = value.as_object();
        if object.is_some_and(|object| object.type_name().ends_with("::Namespace")) {
            return Ok(true);
        }
        // The fields of a message are JSON.
        let has_items = matches!(value.kind(), ValueKind::Seq | ValueKind::Map);
        if has_items && value.downcast_object_ref::<Message>().is_none() {
            let is_map = value.kind() == ValueKind::Map;
            let items = value.try_iter().into_iter().flatten();
            left.extend(items.map(|item| match is_map {
                true => value.get_item(&item).unwrap_or_default(),
                false => item,
            }));
        }
    }
    Ok(false)
}

fn tracker(state: &State<'_, '_>) -> Option<Arc<Tracker>> {
    state.lookup(TRACKER)?.downcast_object::<Tracker>()
}

fn markers(env: &mut Environment<'static>, dialect: Dialect) {
    env.add_function(rewrite::ENTER, |state: &State<'_, '_>| {
        tracker(state)
            .into_iter()
            .for_each(|tracker| tracker.enter());
        ""
    });
    env.add_function(
        rewrite::ITEMS,
        |state: &State<'_, '_>, items: Rest<Value>| match items.as_slice() {
            [items] if is_iterable(items) => counted(state, items),
            [other] => {
                let problem = format!("a loop over a value that is {}", other.kind());
                Err(Error::new(ErrorKind::InvalidOperation, problem))
            }
            items => Ok(Value::from(Tuple::from(items.to_vec()))),
        },
    );
    env.add_function(rewrite::LEAVE, |state: &State<'_, '_>| {
        tracker(state)
            .into_iter()
            .for_each(|tracker| tracker.leave());
        ""
    });
    env.add_function(
        rewrite::KEPT,
        |state: &State<'_, '_>, values: Rest<Value>| {
            if holds_namespace(state, &values)? {
                let problem = "a namespace keeps a namespace, which is not supported";
                return Err(Error::new(ErrorKind::InvalidOperation, problem));
            }
            Ok(match values.as_slice() {
                [value] => value.clone(),
                values => Value::from(Tuple::from(values.to_vec())),
            })
        },
    );
    env.add_function(rewrite::STEP, |state: &State<'_, '_>, item: Value| {
        let message = item.downcast_object_ref::<Message>();
        let message = message.map(|message| message.index);
        tracker(state)
            .into_iter()
            .for_each(|tracker| tracker.step(message));
        ""
    });
    env.add_function(
        rewrite::GENERATION,
        move |state: &mut State<'_, '_>, kwargs: Kwargs| {
            let caller: Value = kwargs.get("caller")?;
            let text = caller.call(state, &[])?;
            let length = text.as_str().map_or(0, str::len);
            if let Some(tracker) = tracker(state) {
                tracker.generate(length, dialect.notes_first_generation);
            }
            Ok::<_, Error>(text)
        },
    );
    env.add_function(attributes::ATTRIBUTE, |of: Value, name: String| {
        attributes::attribute(&of, &name)
    });
    env.add_function(attributes::ITEM, |of: Value, name: String| {
        attributes::item(&of, &name)
    });
    env.add_function(attributes::SLICED, |of: Value| attributes::sliced(&of));
    env.add_filter(rewrite::UNSAFE, |_: Value, _: String| Value::UNDEFINED);
}
