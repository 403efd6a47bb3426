#!/bin/sh
# Draw the Mermaid diagrams of docs/architecture.md: the last one as docs/diagram.png, the others beside this script.
#
# Needs npm, and Chromium or Chrome: `CHROMIUM` names it where it is not on the PATH; on Debian and Ubuntu, as root, it is
# installed with a font. Mermaid's own command is kept in .bench/, and downloads no browser.
set -eu
cd "$(dirname "$0")/../.."

VERSION=11.9.0
NAMES="one-machine cluster cloud"
TOOLS=.bench/mermaid
DRAWN=docs/diagrams/drawn.sha256

browser() {
    for name in "${CHROMIUM:-}" chromium chromium-browser google-chrome; do
        if [ -n "$name" ] && command -v "$name"; then return; fi
    done
    return 1
}

if ! browser > /dev/null && command -v apt-get > /dev/null && [ "$(id -u)" = 0 ]; then
    apt-get update && apt-get install --yes --no-install-recommends chromium fonts-inter
fi
found=$(browser) || { echo "Chromium is needed: install it, or set CHROMIUM=/where/it/is" >&2; exit 1; }
mkdir -p "$TOOLS"
[ "$(cat "$TOOLS/version" 2> /dev/null)" = "$VERSION" ] || {
    PUPPETEER_SKIP_DOWNLOAD=1 npm install --silent --no-audit --no-fund --prefix "$TOOLS" "@mermaid-js/mermaid-cli@$VERSION"
    echo "$VERSION" > "$TOOLS/version"
}
# The sandbox of Chromium does not run as root; what is drawn is a file of this project.
printf '{"executablePath": "%s", "args": ["--no-sandbox", "--disable-gpu"]}\n' "$found" > "$TOOLS/browser.json"

# Each block of the document becomes a file of its name, in their order.
awk -v names="$NAMES" -v folder="$TOOLS" '
    BEGIN { split(names, name, " ") }
    /^```mermaid$/ { file = folder "/" name[++number] ".mmd"; printf "" > file; next }
    /^```$/ { file = "" }
    file { print > file }
' docs/architecture.md

draw() { "$TOOLS/node_modules/.bin/mmdc" --quiet --puppeteerConfigFile "$TOOLS/browser.json" --backgroundColor white "$@"; }
: > "$DRAWN"
for name in $NAMES; do
    if [ "$name" = cloud ]; then
        draw --input "$TOOLS/$name.mmd" --output docs/diagram.png --width 2000 --scale 2
    else
        draw --input "$TOOLS/$name.mmd" --output "docs/diagrams/$name.svg"
    fi
    (cd "$TOOLS" && sha256sum "$name.mmd") >> "$DRAWN"
done
