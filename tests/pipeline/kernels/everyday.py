"""Cells that look at everything around them that a notebook could notice."""

PARAMETERS = {
    "text": "ünï \"x\" 'y'\n\\",
    "number": -7,
    "share": 2.5,
    "nothing": float("nan"),
    "endless": float("-inf"),
    "missing": None,
    "agreed": True,
    "several": [1, 2.5, "x", []],
    "deep": {"a": [1, {"b": None}], "ü": {"c": "é"}},
}
TAGGED = "\n".join(f"{name} = None" for name in PARAMETERS)

LANGUAGE = (
    """\
import json
print(json.dumps([text, number, share, missing, agreed, several, deep], sort_keys=True))
print(nothing, endless, type(number))""",
    "#!\ndef inner(n):\n    return 1 / n\ninner(0)",
    "#!\nimport sys\nsys.exit(3)",
    "#!\nraise KeyboardInterrupt('stop')",
    "#!\nimport asyncio\nsleep = asyncio.sleep(0)\ntry: asyncio.run(sleep)\nfinally: sleep.close()",
    "await asyncio.sleep(0)\nasync def five(): return 5\nawait five()",
    "#!\nunfinished = (1",
    "class Shown:\n    def __repr__(self): return 'shown'\nShown()",
    "def double(x):\n    return 2 * x\nimport inspect\nprint(inspect.getsource(double), _)",
    "#!\nfrom absent import nothing",
)
FIGURES = (
    """\
%matplotlib inline
import matplotlib, matplotlib.pyplot as plt
print(matplotlib.get_backend(), plt.isinteractive(), matplotlib.rcParams["figure.dpi"])
figure, axes = plt.subplots(figsize=(2, 1)); axes.plot([1, 2, 3]); axes.set_title("ö")""",
    "%matplotlib agg\nplt.plot([1, 2]); plt.show()\nprint(matplotlib.get_backend())",
    "%matplotlib inline\nplt.figure(figsize=(2, 1)); plt.plot([1, 5, 2])\nplt.get_fignums()",
    "import pandas as pd\npd.DataFrame({'a': [1, 2], 'ü': [None, 'x']})",
    "import numpy\nnumpy.random.seed(4)\nprint(numpy.random.rand(2), numpy.geterr())",
)
PROCESSES = (
    """\
import multiprocessing, pathlib, sys
sys.path.insert(0, "")
pathlib.Path("module_of_cells.py").write_text("def square(x):\\n    return x * x\\n")
from module_of_cells import square
for how in ("fork", "spawn"):
    with multiprocessing.get_context(how).Pool(2) as pool:
        print(how, pool.map(square, range(5)))
print(multiprocessing.current_process(), multiprocessing.parent_process())
print(multiprocessing.get_start_method())""",
    """\
import threading
def work(): print("in", threading.current_thread().name)
thread = threading.Thread(target=work, name="mine"); thread.start(); thread.join()
print(threading.main_thread() is threading.current_thread())""",
    """\
import os, subprocess, time
print(os.getpid() != os.getppid(), os.getpgrp() == os.getpid(), os.umask(0o22))
os.write(1, b"past the streams\\n")
subprocess.run(["sh", "-c", "echo of a child"])
time.sleep(0.3)  # a thread of ipykernel's reads it, and no cell waits for that""",
    """\
subprocess.run(["sh", "-c", "echo of its errors >&2"])
time.sleep(0.3)""",
    """!echo shell $((1+1)) {number}""",
    """\
import signal
handled = {s.name: str(signal.getsignal(s)) for s in signal.Signals}
handled.pop("SIGHUP")  # as whoever started all of this has it
print({name: how for name, how in handled.items() if how != "0"})
print(signal.pthread_sigmask(signal.SIG_BLOCK, ()))""",
)
MACHINE = (
    """\
os.environ["TZ"] = "Asia/Tokyo"
import time; time.tzset()
import locale
print(time.tzname, time.strftime("%H", time.localtime(0)), locale.getlocale())
print(locale.getpreferredencoding(), sys.stdout.encoding, locale.setlocale(locale.LC_ALL))""",
    "import tempfile\nprint(tempfile.gettempdir(), pathlib.Path.home(), pathlib.Path.cwd())",
    "print('ünï \\x1b[31mred\\x1b[0m 🐘'); print('to the other', file=sys.stderr)",
    """\
print(sys.path, sys.flags, sys.executable, sys.prefix, sys.warnoptions, hash("a"))
print(sys.getrecursionlimit(), sys.getswitchinterval(), sys.dont_write_bytecode)
print(__name__, "__file__" in globals(), sys.modules["__main__"].__dict__ is globals())
print([pathlib.Path(word).name for word in sys.argv[:2]], os.path.exists(sys.argv[2]))
print(sys.orig_argv[:5])""",
    """\
import gc, decimal, socket, random, contextvars
print(gc.isenabled(), gc.get_threshold(), decimal.getcontext(), socket.getdefaulttimeout())
random.seed(3); print(random.random(), len(contextvars.copy_context()))""",
    """\
import logging, warnings
logging.warning("watch out"); logging.getLogger("x").error("not so")
logging.info("not shown"); warnings.warn("old", DeprecationWarning); warnings.warn("user")
print(logging.root.handlers, logging.root.level, sorted(map(str, warnings.filters)))""",
)
NOTEBOOK = (
    """\
from comm import create_comm, get_comm_manager
comm = create_comm(target_name="x", data={"a": 1}); comm.send({"b": 2}); comm.close()
print(type(comm), type(get_comm_manager()))""",
    "#!\ninput('name?')",
    "%timeit -n1 -r1 -q -o 1\n%history -l 2\nprint(len(In), In[-1][:10], sorted(Out))",
    "%%capture captured\nprint('hidden')",
    """\
print(captured.stdout)
pathlib.Path("script.py").write_text("print(__name__, __file__)\\nof_script = 1\\n")
%run script.py
print(of_script)""",
    """\
from IPython.display import HTML, clear_output, display
shown = display("one", display_id="the-id"); shown.update("two")
print("gone"); clear_output(); print("kept"); display(HTML("<b>x</b>"))""",
    "#!\n%nosuchmagic",
    "%config InlineBackend.figure_formats\n%config Completer.use_jedi",
    "print(get_ipython().__class__, get_ipython().kernel.__class__)\nsorted(globals())",
    "print(sys.stdin, type(sys.stdout), sys.__stdout__.fileno(), sys.displayhook, sys.excepthook)",
)
CELLS = (TAGGED, *LANGUAGE, *FIGURES, *PROCESSES, *MACHINE, *NOTEBOOK)

CONTAINED = """\
import json, os, resource, sys, threading
kinds = {}
for number in map(int, os.listdir("/proc/self/fd")):
    try: path = os.readlink(f"/proc/self/fd/{number}")
    except OSError: continue
    kind = path.partition(":")[0] if ":" in path else os.path.basename(path)
    if kind not in ("socket", "anon_inode"):  # zmq's own, as many as there are clients just now
        kinds[kind] = kinds.get(kind, 0) + 1
    assert number < 3 or not os.get_inheritable(number), path
print(json.dumps({
    "environment": dict(os.environ),
    "threads": sorted(thread.name for thread in threading.enumerate()),
    "limits": [resource.getrlimit(kind) for kind in range(10)],
    "likely to be killed": open("/proc/self/oom_score_adj").read(),
    "leads a session": os.getsid(0) == os.getpid(),
    "files": kinds,
}))"""
"""What a kernel has of us, and not of papermill."""
