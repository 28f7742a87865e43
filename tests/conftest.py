import os
from pathlib import PurePath

import hypothesis
import pytest
from xdist.scheduler import LoadScopeScheduling

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before anything imports TensorFlow

hypothesis.settings.register_profile("untimed", deadline=None)  # a busy machine is no failure
hypothesis.settings.load_profile("untimed")

# Their tests are dealt out one by one, after all other files and those that take long first, so that the processes end
# together. Of every other file one process runs all tests and makes what they share once.
ONE_BY_ONE = ("test_interruptions.py", "test_shortage.py", "test_reruns.py", "test_bad_input.py")


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: ONE_BY_ONE.index(item.path.name) if item.path.name in ONE_BY_ONE else -1)


class _Dealt(LoadScopeScheduling):
    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return nodeid if PurePath(file).name in ONE_BY_ONE else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    return _Dealt(config, log)
