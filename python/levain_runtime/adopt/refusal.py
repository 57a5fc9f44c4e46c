"""Why raw rows cannot be answered as the notebook does: the cell, the line and the smallest change that helps."""


class Refused(Exception):
    def __init__(self, message, cell=None, line=None, hint=None, code=None):
        super().__init__(message)
        self.message, self.cell, self.line, self.hint, self.code = message, cell, line, hint, code

    def as_facts(self):
        return {"ok": False, "reason": self.message, "cell": self.cell, "line": self.line, "hint": self.hint, "statement": self.code}
