"""Make demo/golden.jsonl and demo/golden_pairs.jsonl: what transformers gives for the demo model.

Offsets count characters (Unicode scalar values), byte_offsets the bytes of the UTF-8 text.
"""

import json
import unicodedata
import warnings
from pathlib import Path

from transformers import AutoTokenizer

HERE = Path(__file__).resolve().parent

PLAIN = """\
banco de madera, banco donde hay dinero
banco de madera
banco donde hay dinero
dinero
money
I left the money in the bank and went home.
El banco presta dinero a la gente.
The wooden bench by the river.
La orilla del río está cubierta de árboles.
El perro rojo duerme; the red dog sleeps.
¿Cuánto cuesta la mesa? ¡Es cara!
¿Qué?
¡Feliz año nuevo!
Monday, lunes, Tuesday, martes
uno dos tres 1 2 3
1234567890
3.14159 + 2.71828 = 5.85987
25 % de 1.000,50 €
unbelievable transformers
antidisestablishmentarianism
desafortunadamente
El pingüino y el ñandú
ESTO ESTÁ EN MAYÚSCULAS
MiXeD CaSe TeXt
don't can't it's l'eau
e-mail: a.b_c@example.com
https://example.com/a?b=1&c=%20#d
fn main() { println!("{:?}", x[0]); }
a\\b/c|d~e`f^g
"quoted" 'single' «guillemets» “curly” ‘curly’
em—dash en–dash hyphen-minus
ellipsis… and three dots...
x
.
_
▁
▁▁a▁b
a_b
naïve façade über Ångström
Česká Łódź İstanbul ışık
ﬁne ﬂow ½ ² ³ №
ＦＵＬＬ　ＷＩＤＴＨ ｔｅｘｔ
Ⅷ ① ㎏ ㍿
ﾊﾟﾋﾟﾌﾟ
日本語のテキスト
你好，世界
안녕하세요 세계
各 tree 木 árbol
Привет, мир
Γειά σου Κόσμε
שלום עולם
مرحبا بالعالم
नमस्ते दुनिया
สวัสดีชาวโลก
😀
money 💰 bank 🏦
👨‍👩‍👧‍👦 family
👍🏽 ❤️ 🇪🇸
dinero💶dinero
∑ ∫ √ ∞ ≠ ≤
ℝ ℤ 𝔸 𝟙 𝓍
[MASK]
[PAD]
[CLS]
[SEP]
[UNK]
The [MASK] lends money.
El[MASK]banco
 [MASK] 
[MASK][MASK]
[CLS] dinero [SEP]
[unk] [mask] [Mask]
[UNK] 😀 [UNK]
x[PAD]y
[ MASK ]
[MASK
<0x41>
a <0xE2> b
<0x0A>
<unk> <s> </s> <pad>
[UNUSED1]
\u00a0no-break\u00a0space
zero\u200bwidth\u200cand\u200djoiner
soft\u00adhyphen
\ufeffbom first
replacement \ufffd character
right \u202eto left\u202c mark
line\u2028separator\u2029paragraph
thin\u2009and\u3000ideographic
combining a\u0301e\u0301\u0308 stack
\u0301starts with a mark
Ø å ẞ ß ﬀ
H\u2082O x\u00b2 m\u00b3
"""

# Written as code, because they hold spaces at the ends, line ends or control characters.
ODD = [
    "",
    " ",
    "   ",
    "\n",
    "\t",
    "\r\n",
    " leading",
    "trailing ",
    "  two  spaces  ",
    "many      spaces",
    "tab\tand\ttab",
    "line\nline",
    "line\r\nline\r\n",
    "blank\n\n\nlines\n",
    " \n mixed \t white \r ",
    "nul\x00here",
    "bell\x07 escape\x1b[0m delete\x7f",
    "next\x85line c1\x9f",
    "\x00",
    "\x01\x02\x03",
    "dinero\x00",
    "á" * 40,
    "money " * 12,
    "xqzjkw" * 6,
    "a\u0300\u0316\u0301",
    "\U0010ffff\ue000 private",
]

ACCENTED = [
    "El niño comió jamón en la habitación",
    "árbol, pájaro, lápiz, café, té",
    "La canción del pingüino español",
    "Crème brûlée à Noël",
]

PAIRS = [
    ("banco de madera", "banco donde hay dinero"),
    ("the bank", "El banco está cerrado."),
    ("money", ""),
    ("", "dinero"),
    ("  a\n", "😀 [MASK] <0x41>"),
    ("cafe\u0301", "café"),
]


def record(tokenizer, *texts):
    encoding = tokenizer(*texts, return_offsets_mapping=True, return_special_tokens_mask=True)
    backend = encoding.encodings[0]
    out = {"text": texts[0]}
    if len(texts) == 2:
        out["pair"] = texts[1]
    out["ids"] = encoding.input_ids
    out["tokens"] = encoding.tokens()
    if len(texts) == 2:
        out["type_ids"] = encoding.token_type_ids
    out["offsets"] = [list(pair) for pair in backend.offsets]
    if len(texts) == 1:
        out["byte_offsets"] = [[len(texts[0][:i].encode()) for i in pair] for pair in backend.offsets]
    out["special_tokens_mask"] = encoding.special_tokens_mask
    return out


def write(name, records):
    lines = [json.dumps(r, ensure_ascii=False) + "\n" for r in records]
    (HERE / name).write_text("".join(lines), encoding="utf-8", newline="\n")
    print(f"{name}: {len(lines)} lines")


def main():
    with warnings.catch_warnings():
        # transformers says that its fast tokenizers do not use the byte pieces: known, and the same
        # for the real DeBERTa-v3, so text outside the vocabulary gives [UNK].
        warnings.simplefilter("ignore")
        tokenizer = AutoTokenizer.from_pretrained(HERE / "model")
    assert tokenizer.is_fast and tokenizer.mask_token_id == len(tokenizer) - 1

    texts = PLAIN.split("\n")[:-1] + ODD
    for text in ACCENTED:
        texts += [text, unicodedata.normalize("NFD", text)]
    write("golden.jsonl", [record(tokenizer, text) for text in texts])
    write("golden_pairs.jsonl", [record(tokenizer, *pair) for pair in PAIRS])


if __name__ == "__main__":
    main()
