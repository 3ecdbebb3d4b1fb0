"""A program whose words go to a file, and what is in it."""

from holdport import eventually

STAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


def one_program(holdport, command, section=""):
    lines = section.strip().splitlines()
    holdport.write_config("\n".join(["[program:one]", f"command = {command}",
                                     *(line.strip() for line in lines)]))


def run_one(holdport, command, section="", **named):
    one_program(holdport, command, section)
    holdport.run(**named)


def text_of(path):
    """Nothing, too, while the file is turned over."""
    try:
        return path.read_text(errors="replace")
    except FileNotFoundError:
        return ""


def await_text(path, text):
    def with_text():
        now = text_of(path)
        return now if text in now else None
    return eventually(with_text, what=f"{text!r} in {path}")
