import pytest
import serving

from regatlas import datasets


@pytest.fixture
def no_settings(monkeypatch):
    """Nothing of what the user of this machine may have set decides where data comes from."""
    monkeypatch.delenv(datasets.ENVIRONMENT, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def server(no_settings):
    server = serving.start()
    yield server
    server.released.set()
    server.shutdown()
    server.server_close()
