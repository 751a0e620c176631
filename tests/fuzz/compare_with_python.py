#!/usr/bin/env python3
"""Compares the answers that tests/fuzz/combinations.rs wrote with those of the Python package.

The package and the linked crate have the same version, but were compiled with different Unicode tables.

    TOKSCOPE_FUZZ=10000 TOKSCOPE_FUZZ_DUMP=/tmp/answers cargo test --test fuzz random_tokenizers
    pip install tokenizers==0.21.4
    python tests/fuzz/compare_with_python.py /tmp/answers
"""
import json
import os
import sys

from tokenizers import Tokenizer


def attempt(work):
    """Returns the result, or None for an error or a panic, which is a BaseException."""
    try:
        return work()
    except KeyboardInterrupt:
        raise
    except BaseException:
        return None


def opened(definition):
    tokenizer = Tokenizer.from_str(json.dumps(definition))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def unknown_id(tokenizer, model):
    if model["type"] == "Unigram":
        return model["unk_id"]
    return tokenizer.token_to_id(model["unk_token"]) if model["unk_token"] else None


def encoded(tokenizer, question, model):
    encoding = attempt(lambda: tokenizer.encode(question["text"], question["pair"], add_special_tokens=question["special"]))
    if encoding is None:
        return None
    unknown = unknown_id(tokenizer, model)
    longest = max(len(question["text"]), len(question["pair"] or ""))
    return {
        "ids": encoding.ids,
        # The program prints the unknown piece in place of the text of an unknown token.
        "tokens": [None if id == unknown else token for id, token in zip(encoding.ids, encoding.tokens)],
        "offsets": [[min(start, longest), min(end, longest)] for start, end in encoding.offsets],
        "type_ids": encoding.type_ids,
        "words": encoding.word_ids,
        "special": encoding.special_tokens_mask,
    }


def differences(line):
    definition = line["tokenizer"]
    tokenizer = attempt(lambda: opened(definition))
    if (tokenizer is not None) != line["opens"]:
        yield "opens", tokenizer is not None, line["opens"], None
        return
    for question in line["asked"]:
        expected, given = encoded(tokenizer, question, definition["model"]), question["answer"]
        if given is not None and expected is not None:
            tokens = zip(given["tokens"], expected["tokens"])
            given = {**given, "tokens": [token and given for given, token in tokens]}
        if given != expected:
            fields = [name for name in expected or () if (given or {}).get(name) != expected[name]]
            yield fields, given, expected, question
        elif given is not None:
            for text, skip in zip(question["decoded"], (False, True)):
                expected = attempt(lambda: tokenizer.decode(given["ids"], skip_special_tokens=skip))
                if text != expected:
                    yield f"decode, skip={skip}", text, expected, question


def main():
    # The messages of caught panics.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    count = different = 0
    with open(sys.argv[1], encoding="utf-8") as lines:
        for line in map(json.loads, lines):
            count += 1
            found = list(differences(line))
            different += bool(found)
            for what, given, expected, question in found[:1]:
                print(line["number"], what, json.dumps(question)[:300])
                print("  given   ", given, "\n  expected", expected)
    print(f"{count} tokenizers, {different} differ")
    sys.exit(different > 0)


main()
