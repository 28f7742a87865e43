# One snakemake at a time in results/, and clear words when the disk or another one stands in the way.
import os
import signal
import tempfile
import threading

from snakemake.logging import logger

from regatlas import folders, locks
from regatlas.errors import advice

LOCKFILE = Path("results/.lock")


def other_snakemake():
    """Who works in this folder, and since when; the second also says whether somebody has begun since."""
    return locks.holder(LOCKFILE), LOCKFILE.stat().st_mtime_ns if LOCKFILE.exists() else 0


def lock_results():
    """Keep a second snakemake out for as long as the returned stream lives; the kernel ends it, also after a kill -9.

    One that was at work while this one planned has made files that the plan does not know: then the plan is void.
    """
    try:
        before = AT_WORK[0] or other_snakemake() != AT_WORK
        lock = locks.take(LOCKFILE)
        folders.check_writable(FOLDERS)
    except locks.Held as holder:
        raise WorkflowError(
            f"Another snakemake is at work in this folder ({holder}), so this one leaves. "
            "Wait until it has finished, or stop it."
        )
    except UserError as error:
        raise WorkflowError(str(error))
    except OSError as error:
        raise WorkflowError(
            f"results cannot be written: {error.strerror}. The study needs a folder that can be written."
        )
    if before:
        raise WorkflowError(
            "Another snakemake has just finished in this folder, so what was planned is out of date. "
            "Give the same command again."
        )
    return lock


if workflow.is_main_process:
    try:
        folders.check(FOLDERS)
        of_a_plugin = workflow.storage_settings.default_storage_provider is not None  # then the cache is no folder
        if workflow.workflow_settings.cache is not None and not of_a_plugin:
            folders.check_cache(os.environ.get("SNAKEMAKE_OUTPUT_CACHE", ""))
        AT_WORK = other_snakemake()  # before the plan is made
    except UserError as error:
        raise WorkflowError(str(error))


def answer_sigterm_in_a_thread():
    """Snakemake's own answer waits for locks that the main thread, which is interrupted for it, may hold: for ever."""
    answer = signal.getsignal(signal.SIGTERM)
    if callable(answer):
        signal.signal(signal.SIGTERM, lambda *given: threading.Thread(target=answer, args=given, daemon=True).start())


onstart:
    global LOCK  # a local name would end with this block, and the lock with it
    LOCK = lock_results()
    answer_sigterm_in_a_thread()
    write_long_specs()


def say_what_is_wrong_with_the_disk():
    """The logs of the failed jobs cannot, if it is full."""
    try:
        with tempfile.TemporaryFile(dir="results") as probe:
            probe.write(bytes(1 << 20))
    except OSError as error:
        logger.error(f"results: {advice(error) or error.strerror}")


onerror:
    say_what_is_wrong_with_the_disk()
