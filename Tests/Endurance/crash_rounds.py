"""kill -9 under many streams, again and again, and what the restarted gateway makes of it.

    crash_rounds.py BINARY [--rounds 500] [--streams 64] [--seed N]

After each restart, from outside and with code of its own: every end that a client was told is on disk with the same amount, no request is
charged twice, nobody pays for a token that did not arrive, no hold stays open, and all balances equal the fold of the log's entries.
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time

from endurance import Failure, Gateway, Rounds


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--rounds", type=int, default=500)
    parser.add_argument("--streams", type=int, default=64)
    parser.add_argument("--seed", type=int, default=random.getrandbits(32))
    options = parser.parse_args()
    random.seed(options.seed)
    print(f"seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="weighbridge-crash-") as directory:
        gateway = Gateway(options.binary, directory)
        rounds = Rounds(gateway, options.streams)
        start = time.monotonic()
        try:
            rounds.prepare()
            for number in range(1, options.rounds + 1):
                streams = asyncio.run(rounds.work())
                if random.random() < 0.1:
                    # Recovery itself is cut off somewhere.
                    try:
                        gateway.start(patience=random.uniform(0.02, 0.4))
                    except Failure:
                        pass
                    gateway.kill()
                gateway.start()
                rounds.check(streams)
                if number % 10 == 0 or number == options.rounds:
                    print(f"round {number}, {time.monotonic() - start:.0f} s: {rounds.summary()}", flush=True)
            gateway.stop()
        except Failure as failure:
            print(f"FAILED in round {locals().get('number', 0)} (seed {options.seed}): {failure}")
            if gateway.process and gateway.process.poll() is None:
                gateway.kill()
            return 1
    print(f"{options.rounds} rounds of kill -9 under {options.streams} streams: nothing lost, nothing charged twice, all books agree")
    return 0


if __name__ == "__main__":
    sys.exit(main())
