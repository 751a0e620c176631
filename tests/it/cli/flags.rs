//! Flags that several commands have.

use std::collections::BTreeMap;

use tokscope::cli::command;

use crate::support::{demo, on, tiny_model, tokscope};

#[test]
fn the_model_comes_from_the_option_or_the_environment() {
    let folder = tiny_model("f16.safetensors");
    let rows = ["info", "--get", "rows"];
    assert_eq!(on(folder.path(), rows).ok(), "300\n");
    assert_eq!(
        tokscope(["-m", "demo", "info", "--get", "rows"])
            .env("TOKSCOPE_MODEL", folder.path())
            .ok(),
        "2064\n"
    );
    let answer = tokscope(["info"]).exit(3);
    assert!(
        answer.stderr.contains("`microsoft/deberta-v3-xsmall`"),
        "{}",
        answer.stderr
    );
}

#[test]
fn a_flag_of_one_name_means_the_same_in_every_command() {
    let mut command = command();
    command.build();
    let mut flags: BTreeMap<String, (String, String)> = BTreeMap::new();
    let mut checked = 0;
    for command in command.get_subcommands() {
        let name = command.get_name();
        // clap adds `help`, whose arguments are names of commands.
        for flag in command.get_arguments().filter(|flag| !flag.is_positional()) {
            let long = flag.get_long();
            let long = long.unwrap_or_else(|| panic!("`{name}` has a flag without a long form"));
            let meaning = format!(
                "-{:?} {:?} {:?} {}",
                flag.get_short(),
                flag.get_value_names(),
                flag.get_action(),
                flag.get_help().map(ToString::to_string).unwrap_or_default()
            );
            let (first, expected) = flags
                .entry(long.to_owned())
                .or_insert_with(|| (name.to_owned(), meaning.clone()));
            assert_eq!(
                meaning, *expected,
                "--{long} differs between `{first}` and `{name}`"
            );
            checked += 1;
        }
    }
    assert!(checked > 100, "only {checked} flags were checked");
}

#[test]
fn a_negative_id_is_refused_alike_by_every_command() {
    let commands: [&[&str]; 6] = [
        &["embed"],
        &["diff", "a"],
        &["neighbors"],
        &["similarity"],
        &["vocab"],
        &["grep", "."],
    ];
    for args in commands {
        let answer = demo([args, &["--id", "-1"]].concat()).run();
        let stderr = answer.stderr;
        assert_eq!(answer.code, 2, "{args:?}");
        assert!(
            stderr.contains(
                "invalid value '-1' for '--id <N>': expected a whole number, 0 or greater"
            ),
            "{args:?}: {stderr}"
        );
    }
}
