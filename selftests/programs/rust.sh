# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Rust.

for way in read_to_end read_to_string read read_exact read_until copy stdin seek; do
	copies "rust: $way" stream-rust "$way"
done
prints lines 'rust: lines' stream-rust lines
