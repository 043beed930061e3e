# SPDX-License-Identifier: Apache-2.0
"""Prints "N passed, N failed[, N skipped]" of meson's test logs; exit code 1 if any failed or none ran.

usage: count_tests.py CODE LOG...    CODE is that of the work before; one that is not 0 counts as a failure
"""

import json
import sys

FAILED = ('FAIL', 'TIMEOUT', 'ERROR', 'INTERRUPT', 'UNEXPECTEDPASS')


def results(paths):
    for path in paths:
        with open(path, encoding='utf-8', errors='replace') as log:
            for line in log:
                yield json.loads(line)


def main(code, paths):
    passed = skipped = 0
    failed = []
    for result in results(paths):
        verdict = result['result']
        failed += [result['name']] if verdict in FAILED else []
        passed += verdict in ('OK', 'EXPECTEDFAIL')
        skipped += verdict == 'SKIP'
    if failed:
        print('failed:', ', '.join(failed))
    count = len(failed) + (code != 0)
    print(f'{passed} passed, {count} failed' + (f', {skipped} skipped' if skipped else ''), flush=True)
    return 1 if count or not passed else 0


if __name__ == '__main__':
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
