"""The interface definition language of varlink, from its specification (varlink.org,
"Interface Definition"): reads a description and says whether a value is of a type.

A description that departs from the grammar is a ValueError, as for clients that are
generated from it; so is a value with a field too many, too few, or of another type."""

import re

TOKEN = re.compile(r"""\s+ | \#[^\n]* |
    (?P<word>[A-Za-z][A-Za-z0-9_.-]*) | (?P<mark>->|\[\]|\[string\]|[():,?])""", re.X)
PRIMITIVE = {"bool": bool, "int": int, "float": float, "string": str}
FIELD = re.compile(r"[A-Za-z](_?[A-Za-z0-9])*")
NAME = re.compile(r"[A-Z][A-Za-z0-9]*")
INTERFACE = re.compile(r"[A-Za-z]([-]*[A-Za-z0-9])*(\.[A-Za-z0-9]([-]*[A-Za-z0-9])*)+")


def tokens(text):
    at, found = 0, []
    while at < len(text):
        match = TOKEN.match(text, at)
        if not match:
            raise ValueError(f"no token: {text[at:at + 20]!r}")
        at = match.end()
        if match.lastgroup:
            found.append(match.group())
    return found


class Interface:
    def __init__(self, description):
        self._left = tokens(description)
        self.types, self.methods, self.errors = {}, {}, {}
        self._take("interface")
        self.name = self._word(INTERFACE)
        while self._left:
            self._member()
        for members in (self.types, self.errors):
            for type_ in members.values():
                self._resolve(type_)
        for in_, out in self.methods.values():
            self._resolve(in_), self._resolve(out)

    # Reading

    def _take(self, expected=None):
        if not self._left:
            raise ValueError("it ends too early")
        token = self._left.pop(0)
        if expected and token != expected:
            raise ValueError(f"{token!r} where {expected!r} is expected")
        return token

    def _word(self, pattern):
        word = self._take()
        if not pattern.fullmatch(word):
            raise ValueError(f"{word!r} is no name")
        return word

    def _member(self):
        keyword = self._take()
        name = self._word(NAME)
        if name in self.types or name in self.methods or name in self.errors:
            raise ValueError(f"{name} is there twice")
        if keyword == "method":
            in_ = self._struct()
            self._take("->")
            self.methods[name] = in_, self._struct()
        elif keyword in ("type", "error"):
            members = self.types if keyword == "type" else self.errors
            members[name] = self._struct()
        else:
            raise ValueError(f"{keyword!r} is no member")

    def _struct(self):
        """("struct", {field: type}), or ("enum", [names])."""
        self._take("(")
        fields, names = {}, []
        while self._left and self._left[0] != ")":
            field = self._word(FIELD)
            if self._left[:1] == [":"]:
                self._take(":")
                fields[field] = self._type()
            else:
                names.append(field)
            if self._left[:1] != [")"]:
                self._take(",")
        self._take(")")
        if fields and names:
            raise ValueError(f"a struct and an enum: {fields}, {names}")
        return ("enum", names) if names else ("struct", fields)

    def _type(self):
        token = self._left[0]
        if token == "(":
            return self._struct()
        self._take()
        if token == "?":
            if self._left[0] == "?":
                raise ValueError("a maybe of a maybe")
            return "maybe", self._type()
        if token == "[]":
            return "array", self._type()
        if token == "[string]":
            return "map", self._type()
        if token in PRIMITIVE or token == "object":
            return token, None
        if not NAME.fullmatch(token):
            raise ValueError(f"{token!r} is no type")
        return "named", token

    def _resolve(self, type_):
        kind, of = type_
        if kind == "named" and of not in self.types:
            raise ValueError(f"there is no type {of}")
        if kind in ("maybe", "array", "map"):
            self._resolve(of)
        if kind == "struct":
            for one in of.values():
                self._resolve(one)

    # Judging

    def check(self, value, type_, where):
        kind, of = type_
        if kind == "maybe":
            if value is not None:
                self.check(value, of, where)
        elif kind == "named":
            self.check(value, self.types[of], where)
        elif kind == "struct":
            self._check_struct(value, of, where)
        elif kind == "array":
            _must(isinstance(value, list), value, "an array", where)
            for i, one in enumerate(value):
                self.check(one, of, f"{where}[{i}]")
        elif kind == "map":
            _must(isinstance(value, dict), value, "a map", where)
            for key, one in value.items():
                self.check(one, of, f"{where}[{key}]")
        elif kind == "enum":
            _must(value in of, value, f"one of {of}", where)
        elif kind == "object":
            _must(isinstance(value, dict), value, "an object", where)
        else:
            of = PRIMITIVE[kind]
            _must(isinstance(value, of) and (kind == "bool" or not isinstance(value, bool)),
                  value, kind, where)

    def _check_struct(self, value, fields, where):
        _must(isinstance(value, dict), value, "a struct", where)
        _must(not set(value) - set(fields), value, f"fields of {sorted(fields)}", where)
        for name, type_ in fields.items():
            self.check(value.get(name), type_, f"{where}.{name}")


def _must(holds, value, what, where):
    if not holds:
        raise ValueError(f"{where}: {value!r} is not {what}")
