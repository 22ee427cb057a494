"""How each peer is driven: a script for its own interpreter, which leaves the patched program.

Every script is given the project's folder, the program's name and a folder of its own, and writes
what it found to `found.py` there. Settings are those of the tool's own example; where a tool leaves
something open, what was taken stands here.
"""

from dataclasses import dataclass
from typing import Final

LIMIT: Final = """
import os, resource, sys
resource.setrlimit(resource.RLIMIT_AS, (4 * 1024**3, 4 * 1024**3))
folder, program, out = sys.argv[1:4]
os.chdir(folder)
os.environ["PATH"] = os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"]
"""
"""Edited programs run without a sandbox there, so at least their memory is bounded."""

FIXKIT: Final = """
import importlib, json
from pathlib import Path
from fixkit.genetic.transform import MutationTransformer
from fixkit.localization.coverage import CoverageLocalization

tool, options = sys.argv[4], json.loads(sys.argv[5])
cls = getattr(importlib.import_module("fixkit.repair." + tool.lower()), tool)
tests = "test_" + program + ".py"
place = CoverageLocalization(folder, cov=program, metric="Ochiai", tests=[tests], out=out)
others = [tests] + [name for name in os.listdir(folder) if name == "node.py"]
repair = cls.from_source(src=folder, excludes=others, localization=place, out=out, **options)
# PyAE gives back only what passes and leaves the fitness as it was
is_full = lambda each: tool == "PyAE" or each.fitness >= 1 - 1e-8
found = [each for each in repair.repair() if each.mutations and is_full(each)]
if found:
    where = Path(out, "patched")
    MutationTransformer().transform(found[0], where)
    Path(out, "found.py").write_text((where / (program + ".py")).read_text())
"""

PYGGI: Final = """
import random, re, warnings
warnings.simplefilter("ignore")
sys.path.insert(0, sys.argv[5])
from pathlib import Path
from pyggi.algorithms import LocalSearch
from pyggi.base import AbstractProgram
from pyggi.line import LineDeletion, LineInsertion, LineProgram, LineReplacement
from pyggi.tree import StmtDeletion, StmtInsertion, StmtReplacement, TreeProgram

class Tested(AbstractProgram):
    def compute_fitness(self, result, return_code, stdout, stderr, elapsed_time):
        passed, failed = (re.findall("([0-9]+) " + word, stdout) for word in ("passed", "failed"))
        if passed or failed:
            result.fitness = int(failed[0]) if failed else 0
        else:
            result.status = "PARSE_ERROR"

class Lines(LineProgram, Tested): pass
class Trees(TreeProgram, Tested): pass

class Tabu(LocalSearch):
    # As in the tool's example of repair
    def setup(self):
        self.tabu = []
    def get_neighbour(self, patch):
        while True:
            other = patch.clone()
            if len(other) > 0 and random.random() < 0.5:
                other.remove(random.randrange(0, len(other)))
            else:
                kind = random.choice(self.operators)
                other.add(kind.create(self.program, method="weighted"))
            if not any(item == other for item in self.tabu):
                self.tabu.append(other)
                return other
    def is_better_than_the_best(self, fitness, best_fitness):
        return best_fitness is None or fitness < best_fitness
    def stopping_criterion(self, iter, fitness):
        return fitness == 0

random.seed(program)
os.chdir(out)  # it puts its variants of a project below the folder it is started in
file = program + ".py"
command = "python -m pytest -q -p no:cacheprovider test_" + program + ".py"
config = {"target_files": [file], "test_command": command}
lines = sys.argv[4] == "line"
target = (Lines if lines else Trees)(folder, config=config)
search = Tabu(target)
search.operators = (
    [LineReplacement, LineInsertion, LineDeletion]
    if lines
    else [StmtReplacement, StmtInsertion, StmtDeletion]
)
for result in search.run(warmup_reps=1, epoch=1, max_iter=1000000, timeout=10, verbose=False):
    if result["Success"]:
        text = target.dump(target.get_modified_contents(result["BestPatch"]), file)
        Path(out, "found.py").write_text(text)
target.remove_tmp_variant()
"""

FLUIDFIX: Final = """
import subprocess
from pathlib import Path
file = program + ".py"
argv = [sys.executable, "-m", "fluidfix.cli", "repair", folder, "--file", file]
done = subprocess.run([*argv, "--python", sys.argv[4], "--test-timeout", "2"])
if done.returncode == 0:
    Path(out, "found.py").write_text(Path(file).read_text())
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """One way to run one peer."""

    name: str
    option: str
    """Which command line option names its interpreter."""
    script: str
    arguments: tuple[str, ...] = ()


_GENETIC: Final = '{"population_size": 40, "max_generations": 1000, "w_mut": 0.06, "workers": 2}'
_EXHAUSTIVE: Final = '{"max_generations": 10, "w_mut": 0.06, "workers": 2}'

TOOLS: Final = (
    Tool(name="fluidfix", option="fluidfix", script=FLUIDFIX),
    Tool(name="PyGGI statements", option="pyggi", script=PYGGI, arguments=("tree",)),
    Tool(
        name="FixKit PyMutRepair",
        option="fixkit",
        script=FIXKIT,
        arguments=("PyMutRepair", _EXHAUSTIVE),
    ),
    Tool(name="FixKit PyKali", option="fixkit", script=FIXKIT, arguments=("PyKali", _EXHAUSTIVE)),
    Tool(name="FixKit PyAE", option="fixkit", script=FIXKIT, arguments=("PyAE", "{}")),
    Tool(
        name="FixKit PyCardumen",
        option="fixkit",
        script=FIXKIT,
        arguments=("PyCardumen", _GENETIC),
    ),
    Tool(
        name="FixKit PyGenProg",
        option="fixkit",
        script=FIXKIT,
        arguments=("PyGenProg", _GENETIC),
    ),
    Tool(name="PyGGI lines", option="pyggi", script=PYGGI, arguments=("line",)),
)
