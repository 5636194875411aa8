import csv
import io

import pytest
from httpx2 import Response

from inventory.core.config import Role
from tests.support.api import Api, slug, unique

HEADER = "sku,name,category,unit,reorder_level,price,barcode\n"


def upload(api: Api, content: str | bytes, **query: object) -> Response:
    body = content if isinstance(content, bytes) else content.encode()
    headers = {"Content-Type": "text/csv"}
    return api.send("POST", "/api/v1/items.csv", content=body, params=query, headers=headers)


def counts(answer: Response) -> tuple[int, int, int, bool]:
    body = answer.json()
    return body["created"], body["updated"], body["unchanged"], body["applied"]


def test_an_import_creates_changes_and_leaves_alone(api: Api) -> None:
    old, same, new = api.item(), api.item(), unique("NEW")
    content = (
        HEADER
        + f'{old},"Bolt, long",fasteners,piece,5,1.75,\n'
        + f"{same},Bolt,fasteners,,,1.50,\n"
        + f"{new},Nut,fasteners,kg,1.5,2,12345678\n"
    )
    answer = upload(api, content)
    assert counts(answer) == (1, 1, 1, True)
    assert api.get(f"/items/{old}").json()["name"] == "Bolt, long"
    assert api.get(f"/items/{old}").headers["etag"] == '"2"'
    assert api.get(f"/items/{same}").headers["etag"] == '"1"'
    item = api.get(f"/items/{new}").json()
    assert (item["unit"], item["reorder_level"], item["barcode"]) == ("kg", "1.500", "12345678")


def test_each_bad_line_is_told_and_nothing_is_applied(api: Api) -> None:
    taken = api.item(barcode="99990000")
    good, twin = unique("GOOD"), unique("TWIN")
    lines = [
        f"{good},Good,x,,,1,",
        "bad sku,Name,x,,,1,",
        f"{unique('A')},,x,,,1,",
        f"{unique('B')},Name,x,,,dear,",
        f"{unique('C')},Name,x,,,1,,surplus",
        f"{unique('D')},Name",
        f"{twin},Name,x,,,1,",
        f"{twin.lower()},Name,x,,,1,",
        f"{unique('E')},Name,x,,,1,99990000",
        f"{unique('F')},Name,x,,,1,55556666",
        f"{unique('G')},Name,x,,,1,55556666",
    ]
    answer = upload(api, HEADER + "\n".join(lines))
    assert answer.status_code == 422
    assert counts(answer) == (0, 0, 0, False)
    errors = [(error["line"], error["field"]) for error in answer.json()["errors"]]
    assert sorted(errors, key=str) == sorted(
        [
            (3, "sku"),
            (4, "name"),
            (5, "price"),
            (6, None),
            (7, "category"),
            (7, "price"),
            (9, "sku"),
            (10, "barcode"),
            (12, "barcode"),
        ],
        key=str,
    )
    messages = {error["line"]: error["message"] for error in answer.json()["errors"]}
    assert messages[9] == f"{twin} is on line 8 already"
    assert messages[10] == f"belongs to {taken}"
    assert slug(api.get(f"/items/{good}")) == "item-not-found"

    skipped = upload(api, HEADER + "\n".join(lines), on_error="skip")
    assert skipped.status_code == 200
    assert counts(skipped) == (3, 0, 0, True)
    assert api.get(f"/items/{good}").status_code == 200


def test_a_dry_run_counts_and_changes_nothing(api: Api) -> None:
    sku = unique("DRY")
    assert counts(upload(api, HEADER + f"{sku},Name,x,,,1,\n", dry_run=True)) == (1, 0, 0, False)
    assert slug(api.get(f"/items/{sku}")) == "item-not-found"


def test_lines_are_counted_as_an_editor_shows_them(api: Api) -> None:
    content = HEADER + f'{unique("Q")},"two\nlines",x,,,1,\n' + "bad sku,Name,x,,,1,\n"
    lines = [error["line"] for error in upload(api, content).json()["errors"]]
    assert lines == [3, 4]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "nothing"),
        (b"sku,name\nA,B\n", "required"),
        (b"sku,name,category,price,colour\n", "colour"),
        (b"sku,sku,name,category,price\n", "first line"),
        (b"sku,name,category,price\n\xff,B,C,1\n", "UTF-8"),
        (b'sku,name,category,price\nA,"B,C,1\n', "not valid CSV"),
    ],
)
def test_a_file_that_cannot_be_read(api: Api, content: bytes, words: str) -> None:
    answer = upload(api, content)
    assert answer.status_code in {400, 422}
    assert words in answer.text or content == b""


def test_a_large_export_can_be_imported_again(api: Api) -> None:
    rows = "".join(f"EXP-{number:05},Größe {number},x,,,{number},\n" for number in range(1200))
    assert counts(upload(api, "\ufeff" + HEADER + rows)) == (1200, 0, 0, True)
    exported = api.get("/items.csv")
    assert exported.headers["content-type"] == "text/csv; charset=utf-8"
    table = list(csv.DictReader(io.StringIO(exported.text)))
    skus = [row["sku"] for row in table]
    assert len(skus) == len(set(skus)) >= 1200
    assert next(row for row in table if row["sku"] == "EXP-00007")["name"] == "Größe 7"
    created, updated, unchanged, _ = counts(upload(api, exported.text))
    assert (created, updated, unchanged) == (0, 0, len(skus))


def test_only_admins_import(api: Api) -> None:
    assert upload(api.holding(Role.CLERK), HEADER).status_code == 403
    assert api.holding(Role.READER).get("/items.csv").status_code == 200
