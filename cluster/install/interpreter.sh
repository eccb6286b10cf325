#!/bin/sh
# Prints the Python to make .venv with: the first one found, unless another one is much faster. Builds
# of the same version differ by half in speed, for example without profile-guided optimisation, and so
# does the cost of a decision.
#
#   cluster/install/interpreter.sh            choose one
#   cluster/install/interpreter.sh PYTHON     check this one
set -u

# Prints the microseconds for the kind of work in a decision: calls, attributes, dicts, small objects.
# Fails if the version is not supported, or it cannot make a virtual environment.
probe='
import ensurepip, sys, time, venv
if not (3, 11) <= sys.version_info[:2] <= (3, 13):
    sys.exit(1)
class Part:
    def __init__(self, value):
        self.value = value
    def read(self):
        return self.value
def work():
    kept = {}
    for i in range(20_000):
        kept[i & 255] = Part(i).read()
def timed_s():
    began_s = time.perf_counter()
    work()
    return time.perf_counter() - began_s
print(round(1e6 * min(timed_s() for _ in range(9))))
'

if [ -n "${1:-}" ]; then
	if ! "$1" -c "$probe" >/dev/null 2>&1; then
		echo "error: $1 is not a Python 3.11 to 3.13 that can make a virtual environment — install its venv module (python3-venv), or choose another one: make up PYTHON=/path/to/python3.12" >&2
		exit 1
	fi
	echo "$1"
	exit
fi

chosen='' best_us=0
for candidate in python3 python3.13 python3.12 python3.11 /usr/local/bin/python3 /usr/bin/python3; do
	path=$(command -v "$candidate") || continue
	us=$("$path" -c "$probe" 2>/dev/null) || continue
	# Faster by a fifth, so that noise does not decide.
	if [ -z "$chosen" ] || [ $((us * 5)) -lt $((best_us * 4)) ]; then
		chosen=$path best_us=$us
	fi
done
if [ -z "$chosen" ]; then
	echo "error: found no Python 3.11 to 3.13 that can make a virtual environment — install one with its venv module (python3-venv), or name it: make up PYTHON=/path/to/python3.12" >&2
	exit 1
fi
echo "$chosen"
