"""The passages of a chapter, the formulas in them, and where a symbol stands in a formula."""

import ast
import json
import re
from functools import cache

FORMULA = re.compile(
    r"`{3,}\{math\}[^\n]*\n(.*?)`{3,}|\$\$(.*?)\$\$|(?<![\\$])\$(?!\$)([^$]+?)\$|\{math\}`([^`]*)`", re.DOTALL
)
GREEK = {
    "α": r"\alpha", "β": r"\beta", "γ": r"\gamma", "δ": r"\delta", "ε": r"\epsilon", "ζ": r"\zeta", "η": r"\eta",
    "θ": r"\theta", "κ": r"\kappa", "λ": r"\lambda", "μ": r"\mu", "ξ": r"\xi", "π": r"\pi", "ρ": r"\rho",
    "σ": r"\sigma", "τ": r"\tau", "φ": r"\varphi", "ω": r"\omega",
}  # fmt: skip
ACCENT = r"\\(?:hat|bar|tilde|dot|mathbf|mathsf|mathcal|mathbb|boldsymbol)(?![a-zA-Z])"
LETTER = rf"(?:{ACCENT} ?)*(?:\\[a-zA-Z]+|[a-zA-Z])"
INDEX = rf"(?:_(?:\{{[^{{}}]*\}}|{LETTER}|\w))?"
TOKEN = re.compile(rf"{LETTER}{INDEX}'*|\S")
"""A letter with its accents, index and primes is one token: each of them makes another symbol."""
SYMBOL = re.compile(rf"(?:{ACCENT} ?)*(?:[a-zA-Z]|{'|'.join(map(re.escape, GREEK.values()))})(?:_.*)?'*")
"""Tokens that stand for a quantity, and not for an operation."""
PLAIN = rf"\\(?:text|mathrm|operatorname|begin|end)\*?\{{[^{{}}]*\}}{INDEX}|\\(?:[bB]ig|left|right)(?![a-z])"
"""Words in roman letters, and what only sets sizes."""


def _words(node):
    """What a string says; a zero stands for every value."""
    if isinstance(node, ast.FormattedValue):
        return "0"
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    return "".join(map(_words, ast.iter_child_nodes(node)))


def _said(code):
    """What the calls of `Markdown` in a cell say."""
    for node in ast.walk(ast.parse(re.sub(r"^%.*$", "", code, flags=re.MULTILINE))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Markdown":
            yield "".join(map(_words, node.args))


def _texts(path):
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            yield source
        else:
            yield from _said(source)
            yield cell["metadata"].get("mystnb", {}).get("figure", {}).get("caption", "")


def passages(path):
    """Paragraphs, lists, tables, equations, outputs and captions of a chapter in their order.

    Without code, links and citations, which may point ahead.
    """
    for text in _texts(path):
        text = re.sub(r"^~~~python\n.*?^~~~$", "", text, flags=re.MULTILINE | re.DOTALL)
        text = re.sub(r"\{(?:cite[^}]*|ref|numref|eq|doc)\}`[^`]*`|\[[^\]\[$]*\]\([^)]*\)", "", text)
        yield from (part for part in re.split(r"\n\s*\n", text) if part.strip())


@cache
def formulas(passage):
    """Formulas of a passage, and its Greek letters, which are symbols outside of formulas, too."""
    found = ["".join(groups) for groups in FORMULA.findall(passage)]
    return found + [
        GREEK[letter] for letter in re.findall(rf"(?<!\w)[{''.join(GREEK)}](?!\w)", FORMULA.sub("", passage))
    ]


@cache
def tokens(tex):
    """Symbols and signs of a formula, in one spelling: without spacing, words and needless braces."""
    tex = re.sub(r"^:label:.*$", "", tex, flags=re.MULTILINE)
    tex = re.sub(rf"{PLAIN}|\\[,;:!> ]|&|\\\\", " ", tex)
    tex = re.sub(r"\\[lr]vert(?![a-z])", "|", tex)
    for _ in range(2):
        tex = re.sub(rf"\{{\s*({LETTER}|\w)\s*\}}", r" \1 ", tex)
    tex = re.sub(r"\s+", " ", re.sub(r"\s*([_'])\s*", r"\1", tex))
    return tuple(re.sub(r" (?=\\)|(?<=[{,|]) ", "", token) for token in TOKEN.findall(tex))


@cache
def uses(symbol, formula):
    wanted, found = tokens(symbol), tokens(formula)
    return any(found[start : start + len(wanted)] == wanted for start in range(len(found) - len(wanted) + 1))
