"""What happens before anything runs is light."""

import re
import subprocess
import sys


def test_planning_imports_nothing_heavy(project):
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "snakemake", "-n", "--cores", "1"],
        cwd=project.folder, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    imported = set(re.findall(r"\|\s+([\w.]+)$", done.stderr, re.MULTILINE))
    assert "jsonschema" in imported  # the list was really read
    assert not imported & {"tensorflow", "pandas", "matplotlib", "seaborn", "scipy"}
