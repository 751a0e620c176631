use super::*;

fn parse(given: &str) -> Result<ModelRef, String> {
    ModelRef::parse(given, |path| match path.to_str() {
        Some("models/mine" | "bert" | "a@b") => Some(PathKind::Directory),
        Some("to/spm.model" | "to/m.gguf" | "M.GGUF" | "to/anything") => Some(PathKind::File),
        Some("/dev/null") => Some(PathKind::Other),
        _ => None,
    })
}

fn hub(owner: Option<&str>, name: &str, revision: Option<&str>) -> Result<ModelRef, String> {
    Ok(ModelRef::Hub(HubModel {
        owner: owner.map(str::to_owned),
        name: name.to_owned(),
        revision: revision.map(str::to_owned),
        file: None,
    }))
}

fn directory(path: &str) -> Result<ModelRef, String> {
    Ok(ModelRef::Directory(path.into()))
}

#[test]
fn hub_ids_are_parsed() {
    assert_eq!(parse("o/n"), hub(Some("o"), "n", None));
    assert_eq!(parse("o/n.1_x@main"), hub(Some("o"), "n.1_x", Some("main")));
    assert_eq!(
        parse("o/n@refs/pr/1"),
        hub(Some("o"), "n", Some("refs/pr/1"))
    );
    assert_eq!(parse("hf://o/n@v1"), hub(Some("o"), "n", Some("v1")));
    assert_eq!(
        parse("https://huggingface.co/o/n"),
        hub(Some("o"), "n", None)
    );
    assert_eq!(
        parse("https://huggingface.co/o/n/"),
        hub(Some("o"), "n", None)
    );
    assert_eq!(
        parse("https://huggingface.co/o/n/tree/refs/pr/4"),
        hub(Some("o"), "n", Some("refs/pr/4"))
    );
    assert_eq!(parse("gpt2"), hub(None, "gpt2", None));
    assert_eq!(parse("demo"), Ok(ModelRef::Demo));
}

#[test]
fn paths_are_directories() {
    assert_eq!(parse("models/mine"), directory("models/mine"));
    assert_eq!(parse("bert"), directory("bert"));
    assert_eq!(parse("a@b"), directory("a@b"));
    for path in ["./demo", "../x", "/x/y", "~/x", "a/b/c", ".", "x/"] {
        assert_eq!(parse(path), directory(path), "{path}");
    }
}

#[test]
fn other_references_are_refused_with_the_reason() {
    let problem = |given: &str| parse(given).expect_err(given);
    assert_eq!(
        problem("/dev/null"),
        "it is neither a directory nor a regular file"
    );
    assert_eq!(problem(""), "it is empty");
    assert_eq!(
        problem("o/n m"),
        "' ' is not allowed in its name; use letters, digits, `.`, `_` and `-`"
    );
    assert_eq!(problem("o--p/n"), "`--` is not allowed in its owner");
    assert_eq!(problem("o/a..b"), "`..` is not allowed in its name");
    assert_eq!(
        problem("o/-n"),
        "its name must not begin or end with `.` or `-`"
    );
    assert_eq!(problem("o/n@"), "its revision is empty");
    assert_eq!(problem("o/n@../../x"), "`../../x` is not a valid revision");
    assert_eq!(problem("o/n@/etc"), "`/etc` is not a valid revision");
    assert_eq!(
        problem("https://example.com/o/n"),
        "only addresses of models at https://huggingface.co are supported"
    );
    assert_eq!(
        problem("s3://b/k"),
        "`s3://` is not supported; use `hf://owner/name`"
    );
    let long = format!("o/{}", "n".repeat(97));
    assert_eq!(
        problem(&long),
        "its name has 97 characters, but at most 96 are allowed"
    );
    assert!(parse(&long[..98]).is_ok());
}

#[test]
fn a_reference_is_displayed_as_given() {
    for given in [
        "demo",
        "o/n",
        "o/n@refs/pr/1",
        "gpt2",
        "./x",
        "a/b/c",
        "to/m.gguf",
        "hf://o/n/a/m.gguf",
        "hf://o/n@refs/pr/1/m.gguf",
    ] {
        assert_eq!(
            parse(given).map(|model| model.to_string()),
            Ok(given.to_owned())
        );
    }
}

#[test]
fn a_gguf_file_is_a_model() {
    for path in ["to/m.gguf", "M.GGUF", "nowhere.gguf", "o/nowhere.gguf"] {
        assert_eq!(parse(path), Ok(ModelRef::File(path.into())), "{path}");
    }
    let of = |revision: Option<&str>, file: &str| {
        hub(Some("o"), "n", revision).map(|model| match model {
            ModelRef::Hub(model) => ModelRef::Hub(HubModel {
                file: Some(file.to_owned()),
                ..model
            }),
            other => other,
        })
    };
    assert_eq!(parse("hf://o/n/m.gguf"), of(None, "m.gguf"));
    assert_eq!(parse("hf://o/n/a/b/m.gguf"), of(None, "a/b/m.gguf"));
    assert_eq!(parse("hf://o/n@v1/m.gguf"), of(Some("v1"), "m.gguf"));
    let pull_request = of(Some("refs/pr/7"), "a/m.gguf");
    assert_eq!(parse("hf://o/n@refs/pr/7/a/m.gguf"), pull_request);
    for address in ["blob/main/m.gguf", "resolve/main/m.gguf?download=true"] {
        let address = format!("https://huggingface.co/o/n/{address}");
        assert_eq!(parse(&address), of(Some("main"), "m.gguf"));
    }
    for given in [
        "hf://o/n/../m.gguf",
        "hf://o/n//m.gguf",
        "hf://o/n/a\\m.gguf",
    ] {
        let problem = parse(given).expect_err(given);
        assert!(problem.ends_with("is not the name of a file in a repository"));
    }
    // A repository may have such a name.
    assert_eq!(parse("hf://o/n.gguf"), hub(Some("o"), "n.gguf", None));
}

#[test]
fn every_regular_file_is_a_model() {
    for path in ["to/spm.model", "to/anything", "vocab.txt", "./x/y.tiktoken"] {
        assert_eq!(parse(path), Ok(ModelRef::File(path.into())), "{path}");
    }
    let Ok(ModelRef::Hub(model)) = parse("hf://o/n/a/spiece.model") else {
        panic!("a file of a repository is a model");
    };
    assert_eq!(model.file(), Some("a/spiece.model"));
    let Ok(ModelRef::Hub(model)) = parse("https://huggingface.co/o/n/blob/main/vocab.json") else {
        panic!("the address of a file is a model");
    };
    assert_eq!(
        (model.revision(), model.file()),
        (Some("main"), Some("vocab.json"))
    );
    let problem = parse("https://huggingface.co/o/n/blob/main/README").unwrap_err();
    assert!(
        problem.starts_with("\"main/README\" does not end"),
        "{problem}"
    );
    let problem = parse("hf://datasets/o/n").unwrap_err();
    assert_eq!(problem, "it is one of the Hub's datasets, not a model");
    // A repository may have such a name.
    assert_eq!(parse("o/n.bin"), hub(Some("o"), "n.bin", None));
}

#[test]
fn names_in_the_store_of_ollama_are_parsed() {
    for (given, path, shown) in [
        (
            "ollama:m",
            ["registry.ollama.ai", "library", "m", "latest"],
            "ollama:m:latest",
        ),
        (
            "ollama:m3.2:1b",
            ["registry.ollama.ai", "library", "m3.2", "1b"],
            "ollama:m3.2:1b",
        ),
        (
            "ollama:me/m:q8",
            ["registry.ollama.ai", "me", "m", "q8"],
            "ollama:me/m:q8",
        ),
        (
            "ollama:hf.co/o/n:Q4_K_M",
            ["hf.co", "o", "n", "Q4_K_M"],
            "ollama:hf.co/o/n:Q4_K_M",
        ),
    ] {
        let Ok(ModelRef::Ollama(model)) = parse(given) else {
            panic!("{given}");
        };
        assert_eq!(model.path(), path);
        assert_eq!(model.to_string(), shown);
        assert_eq!(parse(shown), Ok(ModelRef::Ollama(model)));
    }
    for given in [
        "ollama:",
        "ollama:../m",
        "ollama:m:",
        "ollama:a/b/c/d",
        "ollama:m:../x",
        "ollama:a b",
    ] {
        let problem = parse(given).expect_err(given);
        assert!(problem.contains("Ollama's store"), "{given}: {problem}");
    }
    assert!(
        parse("ollama://m")
            .unwrap_err()
            .contains("`ollama://` is not supported")
    );
}

#[test]
fn two_different_revisions_are_refused() {
    let with =
        |given: &str, revision: &str| parse(given).map(|model| model.with_revision(revision));
    assert_eq!(with("o/n", "v1").unwrap().unwrap().to_string(), "o/n@v1");
    assert_eq!(with("o/n@v1", "v1").unwrap().unwrap().to_string(), "o/n@v1");
    for (given, revision) in [("o/n@v1", "v2"), ("demo", "v1"), ("./x", "v1")] {
        let error = with(given, revision).unwrap().unwrap_err();
        assert_eq!(error.code(), "usage", "{given} {revision}");
    }
    assert_eq!(with("o/n", "a b").unwrap().unwrap_err().code(), "bad-model");
}
