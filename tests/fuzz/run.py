"""Fuzz one target with atheris: `python tests/fuzz/run.py TARGET SECONDS MODEL_FOLDER [options of libFuzzer]`.

What it finds is kept in `.fuzz/TARGET`, and is where the next run begins; an input that fails is written there too, as
`crash-...`: `python tests/fuzz/run.py TARGET 0 MODEL_FOLDER .fuzz/TARGET/crash-...` repeats it.
"""

import hashlib
import logging
import sys
import tempfile
import warnings
from contextlib import ExitStack
from pathlib import Path

import atheris

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "fuzz")]
KEPT = Path(".fuzz")

with atheris.instrument_imports(include=["flight_delay"]):
    import targets
    from inside import inside


def main():
    name, seconds, model, *options = sys.argv[1:]
    warnings.simplefilter("ignore")
    logging.disable()
    with ExitStack() as held:
        folder = Path(held.enter_context(tempfile.TemporaryDirectory()))
        service = held.enter_context(inside(Path(model).absolute(), folder))
        target = targets.targets(service, folder)[name]
        corpus = KEPT / name
        corpus.mkdir(parents=True, exist_ok=True)
        for seed in target.seeds():
            (corpus / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)
        limits = ["-timeout=20", "-rss_limit_mb=3000", "-max_len=65536", f"-artifact_prefix={corpus}/"]
        # Options that are files are to be repeated, instead of what is kept.
        where = (
            [] if any(not option.startswith("-") for option in options) else [f"-max_total_time={seconds}", str(corpus)]
        )
        atheris.Setup([sys.argv[0], *limits, *options, *where], target.run)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
