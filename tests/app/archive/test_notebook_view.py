import base64
import json

from app.archive.notebook_view import LONGEST_TEXT, notebook_view
from tests.app.archive.maker import Maker

PNG = base64.b64encode(b"\x89PNG").decode()


def shown(*outputs: dict) -> list[tuple[str, str]]:
    cell = {"cell_type": "code", "source": ["a = 1\n", "b"], "outputs": list(outputs)}
    view = notebook_view(json.dumps({"cells": [cell]}).encode())
    return [(output.kind, output.text) for output in view.cells[0].outputs]


def test_text_images_and_errors_are_shown():
    data = {"image/png": f"{PNG}\n", "text/plain": "<Figure>"}
    assert shown(
        {"output_type": "stream", "text": ["\x1b[32mok\x1b[0m", "\n"]},
        {"output_type": "display_data", "data": data},
        {"output_type": "error", "ename": "KeyError", "evalue": "'a'", "traceback": []},
    ) == [
        ("text", "ok\n"),
        ("image", f"data:image/png;base64,{PNG}"),
        ("error", "KeyError: 'a'"),
    ]


def test_markup_is_named_and_not_shown():
    html = {"output_type": "display_data", "data": {"text/html": "<script>evil()</script>"}}
    (kind, text), (other, _) = shown(
        html, {"output_type": "display_data", "data": {"image/png": '"><script>'}}
    )
    assert (kind, other) == ("note", "note")
    assert "script" not in text


def test_a_long_output_is_cut():
    (_, text), *_ = shown({"output_type": "stream", "text": "x" * (LONGEST_TEXT + 5)})
    assert text.endswith("5 more characters")


def test_what_is_no_notebook_has_no_cells():
    deep = b"[" * 100_000 + b"]" * 100_000
    for data in (b"", b"[]", b'"x"', b"{", b'{"cells": 3}', b"\xff\xfe", deep):
        assert notebook_view(data).cells == ()


def test_strange_cells_do_not_break_the_page(client, maker: Maker):
    strange = [None, 3, {"cell_type": 5, "source": {"a": 1}, "outputs": "x", "metadata": []}]
    strange.append({"cell_type": "code", "outputs": [None, {"output_type": "stream"}]})
    evaluation = maker.evaluation(maker.commit(maker.project(), 1))
    data = json.dumps({"cells": strange, "metadata": None}).encode()
    run = maker.run(evaluation, notebook=maker.keep(data))
    page = client.get(f"/runs/{run.id}/notebook")
    assert page.status_code == 200
    assert page.text.count("<article") == 4
