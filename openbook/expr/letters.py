"""Letters and signs as LaTeX: what is markup there is escaped, and what pdflatex has no letter for becomes mathematics."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache

__all__ = ["latex_text", "symbol"]

_ESCAPES = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "…": r"\dots{}", "–": "--", "—": "---", "’": "'", "‘": "`",
    "“": "``", "”": "''", "•": r"\textbullet{}", "\N{NO-BREAK SPACE}": "~", "\n": " ", "\t": " ", "\N{SOFT HYPHEN}": r"\-",
    "✓": "yes", "✗": "no", "´": "'", '"': "''",
}  # fmt: skip
_NAMES = (
    "alpha beta gamma delta varepsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon varphi chi psi omega "
    "Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega epsilon phi varsigma vartheta"
)
_GREEK = dict(zip("αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΥΦΨΩϵϕςϑ", (f"\\{name}" for name in _NAMES.split()), strict=True))
_AS_LATIN = dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΧο", "ABEZHIKMNOPTXo", strict=True))  # capitals that LaTeX has no name for
_WORDS = {name[1:]: name for name in _GREEK.values()} | {"epsilon": r"\varepsilon", "phi": r"\varphi"}
# Inside dollar signs.
_SIGNS = {
    "<": "<", ">": ">", "|": "|", "∂": r"\partial", "×": r"\times", "·": r"\cdot", "−": "-", "≥": r"\ge", "≤": r"\le",
    "≈": r"\approx", "≠": r"\ne", "∞": r"\infty", "→": r"\to", "←": r"\leftarrow", "±": r"\pm", "√": r"\surd", "∇": r"\nabla",
    "‖": r"\|", "∑": r"\sum", "∏": r"\prod", "∫": r"\int", "∈": r"\in", "∝": r"\propto", "′": "{}'", "″": "{}''",
    "‴": "{}'''", "⊤": r"\top", "⁻": "^-", "ᵀ": r"^\top", "µ": r"\mu", "∘": r"\circ", "°": r"^\circ", "⟨": r"\langle",
    "⟩": r"\rangle", "¬": r"\neg", "∧": r"\wedge", "∨": r"\vee", "⌊": r"\lfloor", "⌋": r"\rfloor",
    "⌈": r"\lceil", "⌉": r"\rceil", "÷": r"\div", "≡": r"\equiv", "≪": r"\ll", "≫": r"\gg", "∼": r"\sim",
}  # fmt: skip
_ACCENTS = {"\u0302": r"\hat", "\u0304": r"\bar", "\u0303": r"\tilde", "\u0307": r"\dot", "\u0308": r"\ddot"}
_LATIN_TO = "\u017f"  # letters up to here have a name in LaTeX
_IN_T1 = "«»ÐÞðþĄąĐđĘęĮįŊŋŲų"  # but these only in the newer encoding of fonts
_NOWHERE = "ĦħĸĿŀŉŦŧſ"  # and these in none
_SCRIPT = r"(?:[-\w]|\\[a-z]+)"
_RUN = re.compile(rf"(\^|_){_SCRIPT}(?:\1{_SCRIPT})+")


def latex_text(words: str) -> str:
    """A text for LaTeX's text mode; needs nothing but `amsmath`. What has no letter at all is named, like [U+4F60]."""
    pieces: list[str] = []
    for math, piece in _pieces(unicodedata.normalize("NFC", words)):
        if math and pieces and pieces[-1].startswith("$"):
            pieces[-1] = f"{pieces[-1][:-1]}{'' if piece.startswith(('^', '_', '{')) else ' '}{piece}$"
        else:
            pieces.append(f"${piece}$" if math else piece)
    return "".join(_scripts(piece) if piece[:1] == "$" else piece for piece in pieces)


def _scripts(math: str) -> str:
    """Raised letters in a row are one exponent, and no exponent has an exponent."""
    grouped = _RUN.sub(lambda run: f"{run[1]}{{{run[0].replace(run[1], '')}}}", math)
    first, *others = re.split(r"(?=[\^_])", grouped)
    return first + "".join(others[:1]) + "".join(f"{{}}{other}" for other in others[1:])


def _pieces(words: str) -> Iterator[tuple[bool, str]]:
    """Every letter, and whether it is mathematics; an accent goes with the letter it stands on."""
    for letter in re.findall(f".[{''.join(_ACCENTS)}]*|\n", words, re.S):
        if len(letter) > 1:
            base = _in_math(letter[0]) or letter[0]
            for accent in letter[1:]:
                base = f"{_ACCENTS[accent]}{{{base}}}"
            yield True, base
        elif (sign := _in_math(letter)) is not None:
            yield True, sign
        elif letter in _ESCAPES:
            yield False, _ESCAPES[letter]
        elif letter in _IN_T1:
            yield False, rf"{{\fontencoding{{T1}}\selectfont {letter}}}"
        else:
            yield False, letter if _has_name(letter) else f"[U+{ord(letter):04X}]"


def _has_name(letter: str) -> bool:
    return letter <= _LATIN_TO and letter not in _NOWHERE and letter.isprintable()


@cache
def _in_math(letter: str) -> str | None:
    """A sign that only mathematics has: Greek, raised and lowered letters, fractions."""
    if letter in _SIGNS:
        return _SIGNS[letter]
    if letter in _GREEK:
        return _GREEK[letter]
    if letter in _AS_LATIN:
        return rf"\mathrm{{{_AS_LATIN[letter]}}}"
    kind, _, rest = unicodedata.decomposition(letter).partition(" ")
    inner = "".join(chr(int(code, 16)) for code in rest.split()) if kind.startswith("<") else ""
    if kind in ("<super>", "<sub>") and len(inner) == 1:
        raised = _GREEK.get(inner) or (inner if inner.isascii() and inner.isalnum() else None)
        return raised and f"{'^' if kind == '<super>' else '_'}{raised}"
    above, _, below = inner.partition("\u2044")
    return rf"\frac{{{above}}}{{{below}}}" if kind == "<fraction>" and below.isdecimal() else None


def symbol(word: str) -> str:
    """A name without subscript, for LaTeX's math mode: one letter, a Greek one, a hat, else upright words."""
    stem = word.rstrip("′")
    if stem != word and stem:
        return symbol(stem) + "'" * (len(word) - len(stem))
    if word in _WORDS:
        return _WORDS[word]
    composed = unicodedata.normalize("NFD", word)
    if len(composed) == 2 and composed[1] in _ACCENTS:
        return f"{_ACCENTS[composed[1]]}{{{symbol(composed[0])}}}"
    if len(word) == 1 and (sign := _in_math(word)) is not None:
        return sign
    if (len(word) == 1 and word.isascii() and word.isalpha()) or (word.isdigit() and word.isascii()):
        return word
    if word[:1] in _GREEK and word[1:].isalnum() and word[1:].isascii():  # Δx
        return f"{_GREEK[word[0]]} {symbol(word[1:])}"
    return rf"\text{{{latex_text(word)}}}"
