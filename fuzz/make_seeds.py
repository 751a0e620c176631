"""Writes fuzz/seeds: small files of every kind, which the fuzz targets mutate. Their content is generated here.

    python3 fuzz/make_seeds.py
"""

import base64
import json
import pathlib
import pickle
import struct
import zlib

SEEDS = pathlib.Path(__file__).parent / "seeds"


def write(target, name, content):
    if not isinstance(content, bytes):
        content = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    folder = SEEDS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)


# A character map with two rules, A -> a and ligature fi -> fi: a double array and a pool of replacements.
def charsmap():
    units = [0] * 1024
    pool = b"a\0fi\0"

    def leaf(at, byte, value, base):
        units[at] = byte | 1 << 8 | base << 10
        units[at ^ base] = value | 1 << 31

    leaf(0x41, 0x41, 0, 0x180)
    # The ligature is EF AC 81.
    units[0xEF] = 0xEF | 0x200 << 10
    second = 0xEF ^ 0x200 ^ 0xAC
    units[second] = 0xAC | 0x100 << 10
    leaf(second ^ 0x100 ^ 0x81, 0x81, 2, 0x80)
    array = b"".join(struct.pack("<I", unit) for unit in units)
    return struct.pack("<I", len(array)) + array + pool


MAP = charsmap()
PIECES = ["▁", "▁a", "a", "fi", "▁din", "ero", "dinero", "l", "▁Il", ",", "[MASK]", "ni", "日"]


def varint(number):
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes(out) + bytes([number])


def field(number, content):
    return varint(number << 3 | 2) + varint(len(content)) + content


def spm(pieces, with_map):
    out = b""
    for text, kind in pieces:
        piece = field(1, text.encode()) + b"\x15" + struct.pack("<f", -len(text) - 0.5)
        if kind != 1:
            piece += b"\x18" + varint(kind)
        out += field(1, piece)
    out += field(2, b"\x18\x01" + varint(40 << 3) + b"\x03")
    out += field(3, field(1, b"nmt_nfkc") + (field(2, MAP) if with_map else b""))
    return out


pieces = [("[PAD]", 3), ("[CLS]", 3), ("[SEP]", 3), ("[UNK]", 2)] + [(text, 1) for text in PIECES] + [("<x>", 4)]
for target in ["spm", "spm_tokenizer"]:
    write(target, "with_map.model", spm(pieces, True))
    write(target, "without_map.model", spm(pieces, False))

pieces = ["a", "b", "ab", "Ġ", "Ġab", "b</w>", "ab</w>", "<|endoftext|>", "<|startoftext|>"]
pieces = json.dumps({piece: id for id, piece in enumerate(pieces)}, ensure_ascii=False)
write("slow_text", "merges", f"{pieces}\0#version: 0.2\na b\nĠ ab\na b</w>\n".encode())



# GGUF files with a vocabulary of each kind.
def gguf(**entries):
    def text(value):
        return struct.pack("<Q", len(value.encode())) + value.encode()

    def value(value):
        match value:
            case bool():
                return struct.pack("<IB", 7, value)
            case int():
                return struct.pack("<II", 4, value)
            case str():
                return struct.pack("<I", 8) + text(value)
            case bytes():
                return struct.pack("<IIQ", 9, 0, len(value)) + value
            case [str(), *_]:
                return struct.pack("<IIQ", 9, 8, len(value)) + b"".join(map(text, value))
            case [float(), *_]:
                return struct.pack("<IIQ", 9, 6, len(value)) + struct.pack(f"<{len(value)}f", *value)
            case [*_]:
                return struct.pack("<IIQ", 9, 5, len(value)) + struct.pack(f"<{len(value)}i", *value)

    content = b"GGUF" + struct.pack("<IQQ", 3, 0, len(entries))
    return content + b"".join(text(f"tokenizer.ggml.{name}") + value(one) for name, one in entries.items())


for pre in ["gpt-2", "llama-bpe", "default", "deepseek-llm", "falcon"]:
    write("gguf_vocabulary", f"{pre}.gguf", gguf(
        model="gpt2", pre=pre, tokens=["a", "b", "ab", "Ġ", "Ġab", "d", "i", "<|x|>", "<u>"],
        token_type=[1, 1, 1, 1, 1, 1, 1, 3, 4], merges=["a b", "Ġ ab"], bos_token_id=7, add_bos_token=True))
write("gguf_vocabulary", "llama.gguf", gguf(
    model="llama", tokens=["<unk>", "<s>", "</s>", "a", "b", "▁", "ab", "▁ab", "<0x63>", "<u>"],
    token_type=[2, 3, 3, 1, 1, 1, 1, 1, 6, 4], scores=[0.0, 0.0, 0.0, -9.0, -9.0, -9.0, -1.0, -2.0, 0.0, 0.0], add_eos_token=True))
write("gguf_vocabulary", "bert.gguf", gguf(
    model="bert", tokens=["[PAD]", "▁ab", "c", "▁a", "b", "[UNK]", "[CLS]", "[SEP]"], token_type=[3, 1, 1, 1, 1, 3, 3, 3],
    unknown_token_id=5, cls_token_id=6, seperator_token_id=7))
write("gguf_vocabulary", "t5.gguf", gguf(
    model="t5", tokens=["<pad>", "</s>", "<unk>", "▁ab", "c", "▁", "<x>"], token_type=[3, 3, 2, 1, 1, 1, 4],
    scores=[0.0, 0.0, 0.0, -1.0, -2.0, -3.0, 0.0], precompiled_charsmap=MAP, remove_extra_whitespaces=True, add_space_prefix=True))

tokens = [bytes([byte]) for byte in range(256)] + [b"aa", b"aaa", b"ab", b" a", b"\xe6\x97"]
lines = "".join(f"{base64.b64encode(token).decode()} {rank}\n" for rank, token in enumerate(tokens))
write("ranks", "small.tiktoken", lines.encode())
vocab = [
    {"rank": rank, "token_bytes": base64.b64encode(token).decode(), "token_str": None}
    for rank, token in enumerate(tokens)
]
config = {"pattern": r"\p{L}+|\p{N}", "default_vocab_size": 260, "default_num_special_tokens": 4, "version": "v7"}
special = [{"rank": rank, "token_str": text, "is_control": True} for rank, text in enumerate(["<unk>", "<s>"])]
write("ranks", "small.json", {"config": config, "special_tokens": special, "vocab": vocab})
write("ranks", "vocab.bpe", "#version: 0.2\na a\naa a\na b\n".encode())

added = [
    {"id": 0, "content": "[UNK]", "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True},
    {"id": 11, "content": "[MASK]", "single_word": False, "lstrip": True, "rstrip": False, "normalized": True, "special": True},
]
template = {
    "type": "TemplateProcessing",
    "single": [{"SpecialToken": {"id": "[MASK]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
    "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
    "special_tokens": {"[MASK]": {"id": "[MASK]", "ids": [11], "tokens": ["[MASK]"]}},
}
metaspace = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}
precompiled = {"type": "Precompiled", "precompiled_charsmap": base64.b64encode(MAP).decode()}


def tokenizer(model, **parts):
    return {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": None,
        "pre_tokenizer": None, "post_processor": None, "decoder": None, **parts, "model": model,
    }


unigram = {"type": "Unigram", "unk_id": 0, "vocab": [["[UNK]", 0.0]] + [[text, -1.5] for text in PIECES], "byte_fallback": False}
ids = {text: number for number, text in enumerate(["[UNK]", *PIECES])}
letters = {text: number for number, text in enumerate(["[UNK]", "a", "b", "ab", "d", "i", "di", "Ġ", "n", "e", "r", "[MASK]"])}
regex = {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}
write("tokenizer_json", "unigram.json", tokenizer(
    unigram,
    normalizer={"type": "Sequence", "normalizers": [{"type": "Strip", "strip_left": True, "strip_right": True}, precompiled, regex]},
    pre_tokenizer={"type": "Sequence", "pretokenizers": [metaspace]}, post_processor=template, decoder=metaspace))
write("tokenizer_json", "unigram_library.json", tokenizer(
    unigram, normalizer={"type": "Sequence", "normalizers": [{"type": "NFKC"}, {"type": "Lowercase"}, {"type": "Prepend", "prepend": "▁"}]},
    pre_tokenizer={"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, metaspace]}, post_processor=template))
write("tokenizer_json", "bpe.json", tokenizer(
    {"type": "BPE", "dropout": None, "unk_token": "[UNK]", "continuing_subword_prefix": None, "end_of_word_suffix": None,
     "fuse_unk": False, "byte_fallback": False, "vocab": letters, "merges": ["a b", "d i"]},
    pre_tokenizer={"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
    post_processor={"type": "RobertaProcessing", "sep": ["a", 1], "cls": ["b", 2], "trim_offsets": True, "add_prefix_space": True},
    decoder={"type": "ByteLevel"}))
write("tokenizer_json", "wordpiece.json", tokenizer(
    {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100, "vocab": ids},
    normalizer={"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None, "lowercase": True},
    pre_tokenizer={"type": "BertPreTokenizer"}, decoder={"type": "WordPiece", "prefix": "##", "cleanup": True},
    post_processor={"type": "BertProcessing", "sep": ["a", 3], "cls": ["fi", 4]}))
write("tokenizer_json", "wordlevel.json", tokenizer(
    {"type": "WordLevel", "unk_token": "[UNK]", "vocab": ids},
    normalizer={"type": "Replace", "pattern": {"String": "a"}, "content": "aa"},
    pre_tokenizer={"type": "Split", "pattern": {"Regex": "\\s+"}, "behavior": "Removed", "invert": False},
    decoder={"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
                                              {"type": "Strip", "content": " ", "start": 1, "stop": 0}, {"type": "Fuse"}]}))

write("config", "deberta.json", {"model_type": "deberta-v2", "vocab_size": 1000, "hidden_size": 64, "num_hidden_layers": 2, "embedding_size": 32, "tie_word_embeddings": True, "architectures": ["X"]})
write("config", "tokenizer.json", {"tokenizer_class": "DebertaV2Tokenizer", "do_lower_case": False, "split_by_punct": True, "model_max_length": 1e30, "added_tokens_decoder": {"3": added[1]}, "mask_token": {"content": "[MASK]", "lstrip": True}, "truncation_side": "left"})
write("token_files", "map.json", {"cls_token": "[CLS]", "mask_token": {**added[1]}, "additional_special_tokens": ["<x>", {"content": "<y>"}]})
write("token_files", "added.json", {"[MASK]": 128000, "<x>": 5})
write("shard_index", "index.json", {"metadata": {"total_size": 10}, "weight_map": {"a.weight": "model-00001-of-00002.safetensors", "b": "sub/model.bin"}})

header = json.dumps({"__metadata__": {"format": "pt"}, "a": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, "b": {"dtype": "BF16", "shape": [], "data_offsets": [24, 26]}}).encode()
write("safetensors", "two.safetensors", struct.pack("<Q", len(header)) + header + bytes(26))

# The pickle of torch.save({"a": tensor of 2x3 float32}), written by hand.
tensor = (b"ctorch._utils\n_rebuild_tensor_v2\nq\x02((X\x07\x00\x00\x00storageq\x03ctorch\nFloatStorage\nq\x04"
          b"X\x01\x00\x00\x000q\x05X\x03\x00\x00\x00cpuq\x06K\x06tq\x07QK\x00K\x02K\x03\x86q\x08K\x03K\x01\x86q\x09"
          b"\x89ccollections\nOrderedDict\nq\x0a)Rq\x0btq\x0cRq\x0d")
write("pickle", "one.pkl", b"\x80\x02}q\x00X\x01\x00\x00\x00aq\x01" + tensor + b"s.")
write("pickle", "wrapped.pkl", b"\x80\x02}q\x00(X\x05\x00\x00\x00epochq\x0eK\x07X\x0a\x00\x00\x00state_dictq\x0f}q\x10X\x01\x00\x00\x00aq\x01" + tensor + b"su.")
write("pickle", "plain.pkl", pickle.dumps({"a": [1, 2.5, None, True, (1, 2), -3, 2**40], "b": {"c": b"x" * 300}}, protocol=2))

for name, descr, fortran, shape, count in [("f4.npy", "<f4", False, "(2, 3)", 24), ("f2.npy", ">f2", True, "(3, 2)", 12), ("f8.npy", "<f8", False, "(4,)", 32)]:
    text = f"{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}".encode()
    text += b" " * ((-(10 + len(text) + 1)) % 64) + b"\n"
    write("npy", name, b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + bytes(range(count)))

# The range cache: two extents of a file of 1,000,000 bytes; see src/source/ranges/extents/.
extents = [(0, bytes(range(48))), (100_000, b"\x5a" * 70_000)]
sums = [zlib.crc32(data[at:at + 65536]) for _, data in extents for at in range(0, len(data), 65536)]
length = 32 + 16 * len(extents) + 4 * len(sums)
covered = struct.pack("<IQQ", length, 1_000_000, len(extents))
covered += b"".join(struct.pack("<QQ", start, len(data)) for start, data in extents)
covered += b"".join(struct.pack("<I", number) for number in sums)
small = struct.pack("<IQQ", 52, 1_000_000, 1) + struct.pack("<QQ", 0, 48) + struct.pack("<I", zlib.crc32(bytes(range(48))))
for name, head, data in [("two", covered, b"".join(data for _, data in extents)), ("one", small, bytes(range(48)))]:
    write("ranges", name, b"tokrang1" + struct.pack("<I", zlib.crc32(b"a" * 40 + head)) + head + data)

write("engines", "english.txt", "The banco has dinero; internationalization [MASK] of  the\n\n`` text'' …".encode())
write("engines", "spanish.txt", "¿Cuánto dinero hay en el banco? Año ﬁn ½ ＡＢＣ ①".encode())
write("engines", "odd.txt", "e\u0301 \u200b\u200d 👩‍👩‍👧 각 क्षि ก็ ▁▁ <0x41> [UNK][SEP]\u00a0x\u3000y\0z 漢字 ｶﾞ".encode())
