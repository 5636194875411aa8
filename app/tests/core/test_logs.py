import json
import logging

import pytest

from inventory.core import context
from inventory.core.logs import JsonFormatter, configure_logging


def test_a_record_is_one_line_of_json() -> None:
    record = logging.makeLogRecord(
        {"msg": "two\nlines %s", "args": ("ü",), "levelname": "INFO", "name": "a", "sku": "X"}
    )
    token = context.request_id.set("r1")
    try:
        line = JsonFormatter("1.2.3").format(record)
    finally:
        context.request_id.reset(token)
    assert "\n" not in line
    entry = json.loads(line)
    assert (entry["message"], entry["request_id"], entry["sku"]) == ("two\nlines ü", "r1", "X")
    assert (entry["version"], entry["level"], entry["time"][-1]) == ("1.2.3", "INFO", "Z")


def test_an_exception_is_in_its_record() -> None:
    try:
        raise ValueError("boom")
    except ValueError as error:
        info = (ValueError, error, error.__traceback__)
    entry = json.loads(JsonFormatter("1").format(logging.makeLogRecord({"exc_info": info})))
    assert "ValueError: boom" in entry["exception"]
    assert "request_id" not in entry


def test_every_logger_goes_the_same_way(capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    try:
        configure_logging("INFO", "1")
        logging.getLogger("uvicorn.error").info("started")
        logging.getLogger("uvicorn.access").info("not twice")
        logging.getLogger("inventory").debug("too fine")
        lines = capsys.readouterr().out.splitlines()
    finally:
        root.handlers[:], root.level = before
    assert [json.loads(line)["message"] for line in lines] == ["started"]
