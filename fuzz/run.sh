#!/bin/sh
# Builds a fuzz target with coverage on stable Rust, and runs it on the sources of this
# repository: fuzz/run.sh text -max_total_time=300
set -eu
cd "$(dirname "$0")"
name=${1:?the target: text or accepted}
shift

# The flags of cargo-fuzz, without a sanitizer: the code has no `unsafe`.
export RUSTC_BOOTSTRAP=1
export RUSTFLAGS="--cfg fuzzing -Cpasses=sancov-module \
-Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
-Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1"
host=$(rustc -vV | sed -n 's/^host: //p')
cargo build --quiet --release --target "$host" --bin "$name"

mkdir -p "corpus/$name" "artifacts/$name"
if [ "$name" = text ]; then
    # A contract goes with its parameters; each library with one that imports it.
    for source in ../contracts/*.gvl ../contracts/ledgers/*.gvl ../compiler/std/*.gvl \
        $(find ../compiler/tests -name '*.gvl'); do
        seed=corpus/text/$(echo "${source#../}" | tr / _)
        cp "$source" "$seed"
        params=${source%.gvl}.params.json
        if [ -f "$params" ]; then
            { echo; echo "//// params.json"; cat "$params"; } >> "$seed"
        fi
    done
    cp seeds/* corpus/text/
    grep -ohE '"[a-z_]+"' ../compiler/src/syntax/parser/*.rs ../compiler/src/types/*.rs \
        | sort -u > corpus/words.dict
    set -- -dict=corpus/words.dict "$@"
fi
exec nice -n 10 "${CARGO_TARGET_DIR:-target}/$host/release/$name" -timeout=60 \
    -rss_limit_mb=2048 -artifact_prefix="artifacts/$name/" "corpus/$name" "$@"
