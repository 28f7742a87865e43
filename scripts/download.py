"""Put a data set's four raw files, checked by SHA-256, in a folder."""

import argparse
from pathlib import Path

from regatlas import arguments, datasets, errors, sources


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spec", required=True, type=arguments.spec, help="the config's `dataset`, as JSON")
    parser.add_argument("--out", required=True, help="folder for the raw files")
    parser.add_argument("--log", type=Path, help="file that gets the messages too; progress bars go to the screen only")
    options = parser.parse_args()
    messages: list[str] = []

    def tell(text: str) -> None:
        sources.say(text)
        messages.append(text)

    try:
        sources.download(datasets.resolve(options.spec), options.out, tell=tell)
    except errors.UserError as error:
        messages.append(f"error: {error}")
        raise
    finally:
        if options.log:
            options.log.write_text("\n".join(messages) + "\n", encoding="utf-8")


if __name__ == "__main__":
    errors.run(main)
