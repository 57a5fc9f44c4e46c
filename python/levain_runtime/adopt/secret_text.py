"""Secrets in a notebook's text and outputs: known shapes of keys, and names that say what stands in them. A secret is never repeated."""

import ast
import math
import re
from collections import Counter

from .notebook import output_text

MAX_FOUND = 50
SHAPES = [
    ("an AWS access key", re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b")),
    ("a GitHub token", re.compile(r"\bgh[pousr]_[A-Za-z0-9]{36,}\b|\bgithub_pat_[A-Za-z0-9_]{50,}\b")),
    ("a GitLab token", re.compile(r"\bglpat-[A-Za-z0-9_-]{20,}\b")),
    ("a Slack token", re.compile(r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}\b")),
    ("a Google API key", re.compile(r"\bAIza[0-9A-Za-z_-]{35}\b")),
    ("an OpenAI or Anthropic key", re.compile(r"\bsk-(?:ant-|proj-)?[A-Za-z0-9_-]{32,}\b")),
    ("a Hugging Face token", re.compile(r"\bhf_[A-Za-z0-9]{30,}\b")),
    ("a Stripe key", re.compile(r"\b[sr]k_live_[A-Za-z0-9]{16,}\b")),
    ("a Twilio key", re.compile(r"\bSK[0-9a-f]{32}\b")),
    ("a SendGrid key", re.compile(r"\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}\b")),
    ("a private key", re.compile(r"-----BEGIN (?:RSA |EC |DSA |OPENSSH |ENCRYPTED )?PRIVATE KEY-----")),
    ("a signed token", re.compile(r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}")),
    ("an Azure storage key", re.compile(r"AccountKey=[A-Za-z0-9+/]{40,}={0,2}")),
    ("a Kaggle key", re.compile(r"[\"']key[\"']\s*:\s*[\"'][0-9a-f]{32}[\"']")),
]
CONNECTION = re.compile(r"\b(?:postgres(?:ql)?|mysql|mariadb|mongodb|redis|amqps?|mssql|oracle|snowflake|redshift|clickhouse|ftp|https?)(?:\+\w+)?://([^\s:/@'\"]{1,60}):([^\s@'\"]{3,100})@[\w.-]+")
NAMED = re.compile(r"(?:^|_|\b)(?:api_?key|apikey|secret|secret_?key|token|passwd|password|pwd|access_?key|auth_?key|consumer_?secret|client_?secret|private_?key|api_?secret|bearer)s?$", re.I)
PASSWORDS = re.compile(r"pass(?:wd|word)$|pwd$", re.I)
PLACEHOLDER = re.compile(r"^(?:your|my|the|insert|enter|put|add|fill|paste|replace|change|example|sample|dummy|test|fake|none|null|todo|foo|bar|user|admin|root|secret|token|password|passwd|pass|pwd|key|api)[\W_]|^(?:password|passwd|pass|secret|token|changeme|admin|root|test|key|xxx+|none|null|user|postgres|mysql|guest)$|^[x*.•_-]+$|[<>{}$\[\]]|\*{3,}|x{4,}|\.\.\.|…|(?:your|here|insert)", re.I)
MIN_ENTROPY = 3.0


def collect(cells):
    """[{cell, line, what, where}]: where is source or output."""
    found = []
    for cell in cells:
        seen = set()
        for what, line in _in_text(cell["source"]):
            seen.add(line)
            found.append({"cell": cell["number"], "line": line, "what": what, "where": "source"})
        for what, line in _named(cell["tree"]):
            if line not in seen:
                found.append({"cell": cell["number"], "line": line, "what": what, "where": "source"})
        for output in cell["outputs"]:
            for what, _ in _in_text(output_text(output)):
                found.append({"cell": cell["number"], "line": None, "what": what, "where": "output"})
    return list({(f["cell"], f["line"], f["what"], f["where"]): f for f in found}.values())[:MAX_FOUND]


def _in_text(text):
    for what, shape in SHAPES:
        for match in shape.finditer(text):
            if not PLACEHOLDER.search(match.group(0).split("=", 1)[-1]) or what == "a private key":
                yield what, text.count("\n", 0, match.start()) + 1
    for match in CONNECTION.finditer(text):
        if not PLACEHOLDER.search(match.group(2)) and match.group(1) != match.group(2):
            yield "an address with a password", text.count("\n", 0, match.start()) + 1


def _named(tree):
    """`api_key = "…"`, `connect(password="…")`, `{"token": "…"}`."""
    for node in ast.walk(tree) if tree else ():
        for name, value in _pairs(node):
            if isinstance(value, ast.Constant) and isinstance(value.value, str) and NAMED.search(name) and _is_secret(name, value.value):
                yield "a secret in %s" % name[:40], value.lineno


def _pairs(node):
    if isinstance(node, ast.Assign):
        for target in node.targets:
            if isinstance(target, ast.Name):
                yield target.id, node.value
            elif isinstance(target, ast.Attribute):
                yield target.attr, node.value
            elif isinstance(target, ast.Subscript):
                key = getattr(target.slice, "value", target.slice)
                key = key.value if isinstance(key, ast.Constant) else key
                if isinstance(key, str):
                    yield key, node.value
    elif isinstance(node, ast.Call):
        for word in node.keywords:
            if word.arg:
                yield word.arg, word.value
    elif isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values):
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                yield key.value, value


def _is_secret(name, text):
    if PLACEHOLDER.search(text) or " " in text.strip() or "/" in text and text.count("/") > 3:
        return False
    if PASSWORDS.search(name):
        return len(text) >= 6
    return len(text) >= 16 and any(c.isdigit() for c in text) and any(c.isalpha() for c in text) and entropy(text) >= MIN_ENTROPY


def entropy(text):
    """Bits a character (Shannon)."""
    counts = Counter(text)
    return -sum(n / len(text) * math.log2(n / len(text)) for n in counts.values())
