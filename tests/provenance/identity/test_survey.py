import time

from provenance.identity.closure import cells_closure, module_closure
from provenance.identity.survey import Survey

FILES = {
    "stages/__init__.py": "",
    "stages/common.py": "import numpy\nLIMIT = 3\n",
    "stages/first.py": "from stages.common import LIMIT\nopen('data/limits.csv')\n",
    "stages/second.py": "from stages import common\nimport os\n",
    "os.py": "x = 1\n",
    "src/helper.py": "y = 2\n",
    "stages/third.py": "import helper\n",
    "data/limits.csv": "1,2\n",
}
ENTRIES = ("stages/first.py", "stages/second.py", "stages/third.py")


def laid_out(folder):
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder, frozenset(FILES)


def paths(closure):
    return [file.path for file in closure.files]


def test_closures_taken_in_one_survey_are_those_taken_one_by_one(tmp_path):
    root, tracked = laid_out(tmp_path)
    shared = Survey(root, tracked)
    for entry in (*ENTRIES, *reversed(ENTRIES)):
        together = module_closure(shared, entry)
        assert together == module_closure(Survey(root, tracked), entry)
    assert paths(module_closure(shared, "stages/first.py")) == [
        "data/limits.csv",
        "os.py",
        "stages/__init__.py",
        "stages/common.py",
        "stages/first.py",
    ]
    assert "src/helper.py" in paths(module_closure(shared, "stages/third.py"))
    cells = [("cell", "import stages.second")]
    assert cells_closure(shared, cells) == cells_closure(Survey(root, tracked), cells)


def test_where_imports_are_searched_is_each_closures_own(tmp_path):
    root, tracked = laid_out(tmp_path)
    shared = Survey(root, tracked)
    cells = [("cell", "import common")]
    assert "stages/common.py" not in paths(cells_closure(shared, cells, ("",)))
    assert "stages/common.py" in paths(cells_closure(shared, cells, ("stages",)))
    assert "stages/common.py" not in paths(cells_closure(shared, cells, ("",)))


def test_a_new_survey_sees_what_changed_since_the_last(tmp_path):
    root, tracked = laid_out(tmp_path)
    before = Survey(root, tracked)
    first = module_closure(before, "stages/first.py")
    (root / "stages/common.py").write_text("import numpy\nLIMIT = 4\n")
    # One look tells of one moment, whatever happens while it lasts.
    assert module_closure(before, "stages/first.py") == first
    assert module_closure(Survey(root, tracked), "stages/first.py") != first


def test_an_edit_in_place_between_two_surveys_is_seen_at_once(tmp_path):
    root, tracked = laid_out(tmp_path)
    common = root / "stages/common.py"
    time.sleep(0.2)  # old enough to be remembered
    seen = {module_closure(Survey(root, tracked), "stages/first.py")}
    for limit in range(4, 9):
        with common.open("r+") as file:
            file.write(f"import numpy\nLIMIT = {limit}\n")
        seen.add(module_closure(Survey(root, tracked), "stages/first.py"))
    assert len(seen) == 6
