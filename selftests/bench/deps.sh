#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Installs what `make bench` needs besides what the tests do: libbpf (without it BPF
# ring buffers are left out), gnuplot (without it the plots), and what the native
# benchmarks compare with.
set -uo pipefail
cd "$(dirname "$0")" || exit

packages=(libbpf-dev zlib1g-dev libelf-dev)
command -v gnuplot >/dev/null || packages+=(gnuplot-nox)
../vm/deps.sh || exit
../vm/deps.sh --optional "${packages[@]}"
[[ ${1:-} == --no-native ]] || native/deps.sh
