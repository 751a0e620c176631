"""Make the built-in demo model: demo/corpus/*.txt -> demo/model/.

The result is a toy with the file layout of a DeBERTa-v3 checkpoint: a real SentencePiece
model and a real, trained embedding matrix, but no transformer layers.
"""

import os

# One thread: sums are then always made in the same order, so the bytes repeat. Before numpy loads.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import io
import json
import random
import re
from collections import OrderedDict
from pathlib import Path

import numpy as np
import sentencepiece as spm
import torch

HERE = Path(__file__).resolve().parent
OUT = HERE / "model"

SEED = 20
PIECES = 2000  # [MASK] is not one of them: the tokenizer appends it, with id 2000
ROWS = 2064  # 63 spare rows without a token, as the 99 of the real model
HIDDEN = 64
PER_TOPIC = 700  # generated sentence pairs for each topic file
GLOSSES = 30  # how often a word is shown beside its translation
REPEATS = 4  # how often each hand-written pair is counted
WINDOW = 8  # neighbours on each side that count as context

# Printable ASCII and the Spanish letters always get a piece, so plain text never gives [UNK].
REQUIRED = "".join(map(chr, range(33, 127))) + "áéíóúüñÁÉÍÓÚÜÑ¿¡«»€çÇàèìòùâêîôûäëïö–—“”‘’·°"


# --- the text -------------------------------------------------------------------------------


def read_topic(path):
    """A topic file: sections of lines, each `english | spanish`."""
    topic = {"nouns": [], "adjectives": [], "templates": [], "sentences": []}
    section = None
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = topic[line.strip("[]")]
        elif line:
            section.append([part.strip() for part in line.split("|")])
    return topic


def noun(entry):
    """`water | el agua | f` -> English, Spanish article, Spanish word, gender."""
    english, spanish = entry[0], entry[1].split()
    article = spanish[0] if len(spanish) == 2 else ""
    gender = entry[2] if len(entry) > 2 else "f" if article == "la" else "m"
    return english, article, spanish[-1], gender


def fill(template, topic, rng):
    """One English and one Spanish sentence from a template."""
    names = dict(zip("abc", map(noun, rng.sample(topic["nouns"], 3))))
    adjectives = dict(zip("xyz", rng.sample(topic["adjectives"], min(3, len(topic["adjectives"])))))

    def english(match):
        slot = match[1]
        return names[slot][0] if slot in names else adjectives[slot][0]

    def spanish(match):
        words = match[1].split()
        if words[0] == "el":  # with its article
            return f"{names[words[1]][1]} {names[words[1]][2]}"
        if words[0] in names:
            return names[words[0]][2]
        gender = names[words[1]][3] if words[1] in names else words[1]
        return adjectives[words[0]][1].split()[gender == "f"]

    return (
        tidy(re.sub(r"\{(.*?)\}", english, template[0])),
        tidy(re.sub(r"\{(.*?)\}", spanish, template[1])),
    )


def tidy(text):
    text = re.sub(r"\bde el\b", "del", text)
    text = re.sub(r"\ba el\b", "al", text)
    return text[0].upper() + text[1:]


def dictionaries(topic):
    """English word -> Spanish words, and the other way, within one topic."""
    to_spanish, to_english = {}, {}
    pairs = [(e, s) for e, _, s, _ in map(noun, topic["nouns"])]
    pairs += [(e, s) for e, both in topic["adjectives"] for s in both.split()]
    for english, spanish in pairs:
        to_spanish.setdefault(english, []).append(spanish)
        to_english.setdefault(spanish, []).append(english)
    return to_spanish, to_english


def swap(text, words, rng):
    """Replace most of the known words by their translation: mixed text is what brings
    `dinero` next to `money`, because both are then seen in the very same places."""
    return re.sub(
        r"\w+",
        lambda m: rng.choice(words[m[0]]) if m[0] in words and rng.random() < 0.7 else m[0],
        text,
    )


def corpus():
    """(plain sentences for the tokenizer, documents for the embeddings)."""
    rng = random.Random(SEED)
    plain, documents = [], []

    def add(english, spanish, topic_words):
        plain.extend((english, spanish))
        pair = [english, spanish]
        rng.shuffle(pair)
        documents.append(" ".join(pair))
        documents.append(swap(english, topic_words[0], rng))
        documents.append(swap(spanish, topic_words[1], rng))

    for path in sorted((HERE / "corpus").glob("*.txt")):
        topic = read_topic(path)
        words = dictionaries(topic)
        for english, spanish in topic["sentences"] * REPEATS:
            add(english, spanish, words)
        for i in range(PER_TOPIC if topic["templates"] else 0):
            add(*fill(topic["templates"][i % len(topic["templates"])], topic, rng), words)
        for english, translations in words[0].items():
            for spanish in translations:
                documents.extend([f"{english} {spanish} {english} {spanish}"] * GLOSSES)
    return plain, documents


# --- the tokenizer --------------------------------------------------------------------------


def train_tokenizer(sentences):
    model = io.BytesIO()
    # From an iterator and into memory: no file name ends up inside the model.
    spm.SentencePieceTrainer.train(
        sentence_iterator=iter(sentences),
        model_writer=model,
        model_type="unigram",
        vocab_size=PIECES,
        normalization_rule_name="nmt_nfkc",
        byte_fallback=True,
        character_coverage=1.0,
        required_chars=REQUIRED,
        shuffle_input_sentence=False,
        num_threads=1,
        pad_id=0,
        bos_id=1,
        eos_id=2,
        unk_id=3,
        pad_piece="[PAD]",
        bos_piece="[CLS]",
        eos_piece="[SEP]",
        unk_piece="[UNK]",
        minloglevel=1,
    )
    return model.getvalue()


# --- the embeddings -------------------------------------------------------------------------


def cooccurrence(tokenizer, documents):
    """Weighted counts of token pairs at most WINDOW apart, a pair at distance d weighing 1/d^0.5."""
    ids = []
    for document in documents:
        ids += tokenizer.encode(document) + [-1] * WINDOW  # the gap: no pair crosses documents
    ids = np.array(ids)
    counts = np.zeros(PIECES * PIECES)
    for distance in range(1, WINDOW + 1):
        left, right = ids[:-distance], ids[distance:]
        both = (left >= 0) & (right >= 0)
        flat = left[both] * PIECES + right[both]
        counts += np.bincount(flat, minlength=PIECES * PIECES) / distance**0.5
    counts = counts.reshape(PIECES, PIECES)
    return counts + counts.T


def embeddings(tokenizer, documents):
    """Positive pointwise mutual information, then its HIDDEN largest eigenvectors."""
    counts = cooccurrence(tokenizer, documents)
    total = counts.sum(axis=1)
    smooth = total**0.75  # damps the rare contexts
    expected = np.outer(total, smooth / smooth.sum())
    seen = counts > 0
    ppmi = np.zeros_like(counts)
    ppmi[seen] = np.maximum(np.log(counts[seen] / expected[seen]), 0)

    left, values, _ = np.linalg.svd(ppmi)
    vectors = left[:, :HIDDEN] * values[:HIDDEN] ** 0.5
    # The sign of a singular vector is arbitrary: make its largest entry positive.
    vectors *= np.sign(vectors[np.abs(vectors).argmax(axis=0), np.arange(HIDDEN)])
    # Spread the variance over all the columns by a fixed random rotation, as a trained model has it.
    rng = np.random.default_rng(SEED)
    vectors = vectors @ np.linalg.qr(rng.standard_normal((HIDDEN, HIDDEN)))[0]
    vectors *= 0.05 / vectors[total > 0].std()

    matrix = rng.normal(0, 0.004, (ROWS, HIDDEN))  # bytes, spare rows: small, as if never trained
    matrix[:PIECES][total > 0] = vectors[total > 0]
    matrix[0] = 0  # [PAD]
    return matrix.astype(np.float16)


# --- the files ------------------------------------------------------------------------------

TOKENIZER_CONFIG = {"do_lower_case": False, "vocab_type": "spm"}

CONFIG = {
    "_comment": "toy model built for the tokscope demo; not DeBERTa",
    "model_type": "deberta-v2",
    "attention_probs_dropout_prob": 0.1,
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.1,
    "hidden_size": HIDDEN,
    "initializer_range": 0.02,
    "intermediate_size": 4 * HIDDEN,
    "max_position_embeddings": 512,
    "relative_attention": True,
    "position_buckets": 256,
    "norm_rel_ebd": "layer_norm",
    "share_att_key": True,
    "pos_att_type": "p2c|c2p",
    "layer_norm_eps": 1e-7,
    "max_relative_positions": -1,
    "position_biased_input": False,
    "num_attention_heads": 4,
    "num_hidden_layers": 2,
    "type_vocab_size": 0,
    "vocab_size": ROWS,
}


def main():
    torch.set_num_threads(1)
    OUT.mkdir(exist_ok=True)
    plain, documents = corpus()
    print(f"{len(plain)} sentences, {len(documents)} documents")

    model = train_tokenizer(plain)
    (OUT / "spm.model").write_bytes(model)
    tokenizer = spm.SentencePieceProcessor(model_proto=model)
    assert tokenizer.get_piece_size() == PIECES

    matrix = torch.from_numpy(embeddings(tokenizer, documents))
    state = OrderedDict()
    state["deberta.embeddings.word_embeddings.weight"] = matrix
    state["deberta.embeddings.LayerNorm.weight"] = torch.ones(HIDDEN, dtype=torch.float16)
    state["deberta.embeddings.LayerNorm.bias"] = torch.zeros(HIDDEN, dtype=torch.float16)
    torch.save(state, OUT / "pytorch_model.bin")

    for name, data in (("tokenizer_config.json", TOKENIZER_CONFIG), ("config.json", CONFIG)):
        (OUT / name).write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")

    for path in sorted(OUT.iterdir()):
        print(f"{path.stat().st_size:8} {path.name}")


if __name__ == "__main__":
    main()
