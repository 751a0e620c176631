//! What help and the manual pages say about each command besides its flags: its group, examples, and exit codes.

pub use super::topic::{Example, Group, Topic};

/// Returns the topics of all commands, in the order of the help.
pub fn all() -> impl Iterator<Item = &'static Topic> {
    GROUPS.iter().flat_map(|group| group.topics)
}

/// A command that opens a model and has no negative answers.
const PLAIN: Topic = Topic {
    command: "",
    examples: &[],
    done: "done",
    negative: None,
    opens_model: true,
};

/// The topic of the program itself.
pub static PROGRAM: Topic = Topic {
    command: "tokscope",
    examples: &[
        example(
            "tokscope -m demo tokenize \"banco de madera\"",
            "tokens of the built-in toy model, no network needed",
        ),
        example(
            "tokscope tokenize \"banco de madera\" --json",
            "the same for DeBERTa-v3, as a line of JSON",
        ),
        example(
            "tokscope count README.md --budget 100k",
            "exit 1 if the file is over the budget",
        ),
        example(
            "tokscope neighbors dinero",
            "the nearest tokens in the embedding matrix",
        ),
    ],
    negative: Some("a negative answer: over budget, rows differ, no match"),
    ..PLAIN
};

const fn example(line: &'static str, meaning: &'static str) -> Example {
    Example { line, meaning }
}

/// Every command, by group.
pub static GROUPS: &[Group] = &[
    Group {
        title: "Text",
        topics: &[
            Topic {
                command: "tokenize",
                examples: &[
                    example(
                        "tokscope tokenize \"banco de madera\"",
                        "a table of the tokens",
                    ),
                    example(
                        "tokscope tokenize --ids -f README.md",
                        "the ids of a file, on one line",
                    ),
                    example(
                        "tokscope tokenize --lines -f words.txt --json",
                        "a record for each line of a file",
                    ),
                ],
                ..PLAIN
            },
            Topic {
                command: "chat",
                examples: &[
                    example(
                        "tokscope chat -f demo/chat.json -m demo --template demo/chat.jinja",
                        "the text that a model gets for the messages in a file",
                    ),
                    example(
                        "tokscope chat -f demo/chat.json -m demo --template demo/chat.jinja --json",
                        "the same with the tokens of each message",
                    ),
                ],
                ..PLAIN
            },
            Topic {
                command: "decode",
                examples: &[
                    example(
                        "tokscope decode 364 276 361 -m demo",
                        "the text of three ids",
                    ),
                    example(
                        "tokscope tokenize \"un banco\" --ids | tokscope decode",
                        "a text there and back",
                    ),
                    example(
                        "tokscope decode \"[364, 276]\" --each -m demo",
                        "a line for each id",
                    ),
                ],
                ..PLAIN
            },
            Topic {
                command: "count",
                examples: &[
                    example("tokscope count README.md", "the tokens of a file"),
                    example(
                        "tokscope count prompts --budget 8k",
                        "exit 1 if the files have more than 8000 tokens",
                    ),
                    example(
                        "tokscope count . --by ext --sort tokens",
                        "a table of the extensions, the largest first",
                    ),
                ],
                done: "done, and within every budget",
                negative: Some("over a budget"),
                ..PLAIN
            },
            Topic {
                command: "grep",
                examples: &[
                    example(
                        "tokscope grep --piece ▁banco words.txt -m demo",
                        "the places of a token",
                    ),
                    example(
                        "tokscope grep --unknown words.txt",
                        "characters that the vocabulary lacks",
                    ),
                ],
                done: "found",
                negative: Some("no match"),
                ..PLAIN
            },
            Topic {
                command: "chunk",
                examples: &[
                    example(
                        "tokscope chunk --max-length 512 -f README.md --json",
                        "parts of a file that fit 512 tokens each",
                    ),
                    example(
                        "tokscope chunk --max-length 64 --prefer line < README.md",
                        "parts that end at line ends where they can",
                    ),
                ],
                ..PLAIN
            },
            Topic {
                command: "head",
                examples: &[
                    example(
                        "tokscope head -n 100 -f README.md",
                        "as much of the beginning as fits in 100 tokens",
                    ),
                    example(
                        "tokscope head -n 100 --lines < words.txt",
                        "the beginning of each line",
                    ),
                ],
                ..PLAIN
            },
            Topic {
                command: "tail",
                examples: &[
                    example(
                        "tokscope tail -n 100 -f README.md",
                        "as much of the end as fits in 100 tokens",
                    ),
                    example(
                        "tokscope tail -n 100 --lines < words.txt",
                        "the end of each line",
                    ),
                ],
                ..PLAIN
            },
        ],
    },
    Group {
        title: "Rows of the embedding matrix",
        topics: &[
            Topic {
                command: "embed",
                examples: &[
                    example(
                        "tokscope embed \"un banco\"",
                        "the rows of the tokens of a text",
                    ),
                    example(
                        "tokscope embed --id 5-9,588 --stats",
                        "norm, minimum, maximum and mean of six rows",
                    ),
                    example(
                        "tokscope embed --all -o matrix.npy",
                        "the whole matrix, for NumPy",
                    ),
                ],
                ..PLAIN
            },
            Topic {
                command: "diff",
                examples: &[
                    example("tokscope diff banco bank -m demo", "two words"),
                    example(
                        "tokscope diff --id 588,607 --stats -m demo",
                        "two ids, without the values",
                    ),
                    example(
                        "tokscope diff --text \"banco y banco\" --at 1,3 -m demo",
                        "the same word at two positions",
                    ),
                ],
                done: "the rows are identical, bit for bit",
                negative: Some("the rows differ"),
                ..PLAIN
            },
            Topic {
                command: "neighbors",
                examples: &[
                    example("tokscope neighbors dinero -k 5", "the five nearest tokens"),
                    example(
                        "tokscope neighbors --plus madre --plus padre --minus el -m demo",
                        "the nearest to a sum of rows",
                    ),
                    example(
                        "tokscope neighbors donde --mean --grep '^▁'",
                        "pieces near the mean of a word's rows",
                    ),
                ],
                ..PLAIN
            },
            Topic {
                command: "similarity",
                examples: &[
                    example(
                        "tokscope similarity banco dinero money -m demo",
                        "three words with each other",
                    ),
                    example(
                        "tokscope similarity \"hay dinero en el banco\"",
                        "the tokens of a text with each other",
                    ),
                    example(
                        "tokscope similarity --id 300-330 -o cosines.npy",
                        "a matrix of cosines, for NumPy",
                    ),
                ],
                ..PLAIN
            },
            Topic {
                command: "stats",
                examples: &[
                    example("tokscope stats", "values, norms, zero and duplicate rows"),
                    example(
                        "tokscope stats --bins 40 -k 10",
                        "a finer histogram and longer lists",
                    ),
                ],
                ..PLAIN
            },
        ],
    },
    Group {
        title: "Model",
        topics: &[
            Topic {
                command: "info",
                examples: &[
                    example(
                        "tokscope info",
                        "what the model is, and what contradicts itself",
                    ),
                    example("tokscope info --get rows", "one value, for a script"),
                    example("tokscope info --strict --quiet", "exit 1 on any finding"),
                ],
                negative: Some("a finding, under --strict"),
                ..PLAIN
            },
            Topic {
                command: "vocab",
                examples: &[
                    example(
                        "tokscope vocab --grep '^▁mon'",
                        "pieces that match a regular expression",
                    ),
                    example("tokscope vocab --sort length -k 10", "the longest pieces"),
                    example("tokscope vocab --id 0-9", "the first ids"),
                ],
                negative: Some("no piece matches"),
                ..PLAIN
            },
            Topic {
                command: "models",
                examples: &[
                    example("tokscope models", "what the caches of this machine hold"),
                    example("tokscope models --format csv", "the same for a spreadsheet"),
                ],
                opens_model: false,
                ..PLAIN
            },
            Topic {
                command: "pull",
                examples: &[
                    example(
                        "tokscope pull microsoft/deberta-v3-xsmall",
                        "the files of the tokenizer",
                    ),
                    example(
                        "tokscope pull microsoft/deberta-v3-xsmall --weights",
                        "the checkpoint too",
                    ),
                ],
                ..PLAIN
            },
            Topic {
                command: "convert",
                examples: &[
                    example(
                        "tokscope convert --to tokenizer.json",
                        "write tokenizer.json here",
                    ),
                    example(
                        "tokscope convert --to tokenizer.json -o - | wc -c",
                        "write it to a pipe",
                    ),
                ],
                done: "written",
                negative: Some("nothing is written: a text would be tokenized differently"),
                ..PLAIN
            },
        ],
    },
    Group {
        title: "Checks",
        topics: &[
            Topic {
                command: "verify",
                examples: &[
                    example("tokscope verify README.md", "both engines on a file"),
                    example(
                        "tokscope verify --lines < words.txt",
                        "both engines on each line",
                    ),
                    example(
                        "tokscope verify --against transformers-5 --lines < words.txt",
                        "two readings on each line",
                    ),
                ],
                done: "the engines, or readings, agree",
                negative: Some("the engines, or readings, differ"),
                ..PLAIN
            },
            Topic {
                command: "lock",
                examples: &[
                    example("tokscope lock", "write tokscope.lock, to be committed"),
                    example("tokscope lock --texts words.txt", "with lines of your own"),
                ],
                done: "written",
                ..PLAIN
            },
            Topic {
                command: "check",
                examples: &[
                    example("tokscope check", "compare the model with tokscope.lock"),
                    example(
                        "tokscope check --annotate github",
                        "the same in a job of GitHub Actions",
                    ),
                ],
                done: "as locked",
                negative: Some("something changed"),
                ..PLAIN
            },
        ],
    },
    Group {
        title: "Shell",
        topics: &[
            Topic {
                command: "completions",
                examples: &[
                    example(
                        "tokscope completions bash >> ~/.bashrc",
                        "complete commands, flags, files and cached models",
                    ),
                    example(
                        "tokscope completions zsh >> ~/.zshrc",
                        "the same in zsh, after compinit",
                    ),
                ],
                opens_model: false,
                ..PLAIN
            },
            Topic {
                command: "man",
                examples: &[
                    example(
                        "tokscope man count > tokscope-count.1",
                        "a manual page, for `man ./tokscope-count.1`",
                    ),
                    example(
                        "tokscope man > tokscope.1",
                        "the page of the program itself",
                    ),
                ],
                opens_model: false,
                ..PLAIN
            },
        ],
    },
];
