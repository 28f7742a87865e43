#!/bin/sh
# Installs the browser that the tests of the report need, on Debian and as root; elsewhere says that it is missing.
set -eu
for program in chromium chromium-browser google-chrome google-chrome-stable; do
    command -v "$program" > /dev/null && exit
done
if [ "$(id -u)" != 0 ] || ! command -v apt-get > /dev/null; then
    echo "The tests of the report need Chromium or Chrome, which is not installed." >&2
    echo "As root on Debian this command installs it; elsewhere install it yourself, or name it: CHROMIUM=/path/to/it" >&2
    exit 1
fi
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends chromium > /dev/null
