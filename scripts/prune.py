"""List the runs under results/ that no study refers to any more; remove them with --remove.

A run is kept if a config file in config/ or a folder in it (*.yaml, *.yml, *.json), one named with --configfile, or the
table of a study (results/*/runs.csv) refers to it.
"""

import argparse
import copy
from pathlib import Path

from snakemake.utils import update_config

from regatlas import configfiles, leftovers, locks
from regatlas.errors import UserError, run
from regatlas.study import resolve

RESULTS = Path("results")
DEFAULT = Path("config/config.yaml")
ENDINGS = (".yaml", ".yml", ".json")  # of config files: what Snakemake reads


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--configfile", type=Path, nargs="*", default=[], help="config files that are not in config/")
    parser.add_argument("--remove", action="store_true", help="remove what is listed; without it nothing is removed")
    options = parser.parse_args()
    if not RESULTS.is_dir():
        raise UserError("results: no such folder; call this from the folder that holds config/ and results/")
    try:
        lock = locks.take(RESULTS / ".lock")
    except locks.Held as holder:
        raise UserError(f"a snakemake is at work in this folder ({holder}); wait until it has finished") from None
    with lock:
        prune(options.configfile, options.remove)


def prune(configs: list[Path], remove: bool) -> None:
    """List, and remove if wanted, what no study refers to."""
    wanted = leftovers.wanted_by_tables(RESULTS)
    there = (path for path in DEFAULT.parent.rglob("*") if path.suffix in ENDINGS)
    for path in sorted({*there, *configs}):
        try:
            wanted[path] = leftovers.wanted_by(resolve(read(path)))
        except UserError as error:
            text = str(error) if str(path) in str(error) else f"{path}: {error}"
            raise UserError(f"{text}\nNothing was removed: what {path} refers to is not known.") from None
    print("Kept is what these refer to:", *map(str, wanted), sep="\n  ")
    found = leftovers.find(RESULTS, set().union(*wanted.values()))
    if not found.files:
        print("\nEverything is referred to; there is nothing to remove.")
        return
    print(f"\n{len(found.runs)} run{'s' * (len(found.runs) != 1)} that no study refers to:")
    for folder, seeds in leftovers.by_folder(found.runs).items():
        print(f"  {folder}: seeds {', '.join(map(str, seeds))}")
    print(f"{len(found.rest)} other files: logs, checkpoints and events of such runs, damaged and unfinished files")
    size = f"{found.size / 1e6:.1f} MB"
    if remove:
        leftovers.remove(found, RESULTS)
        print(f"Removed, {size}.")
    else:
        print(f"Together {size}. Nothing was removed: `make prune REMOVE=yes` removes them.")


def read(path: Path) -> dict:
    """A config as the workflow sees it: merged over the default one, unless it is a whole study."""
    own = configfiles.read(path)
    if path == DEFAULT or configfiles.stands_alone(own):
        return own
    default = configfiles.read(DEFAULT)
    config = copy.deepcopy(default)
    update_config(config, own)
    configfiles.tell_own_story(config, own, default)
    return config


if __name__ == "__main__":
    run(main)
