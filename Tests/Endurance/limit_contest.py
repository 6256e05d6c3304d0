"""Many clients at once against one limit, with requests of mixed sizes, for as long as it is asked.

    limit_contest.py BINARY [--clients 500] [--seconds 600] [--seed N]

The limit is a key's total spend; when it is used up, the next bout begins with a new key and a new limit. All the time what is settled and
held is read, and never passes the limit. At the end of each bout less money is left than the smallest request that was refused would hold.
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time

from endurance import COMPLETION_NANO, Failure, Gateway, Stream, nano, require


class Bout:
    """One limit from its first request to the last refusal."""

    def __init__(self, gateway, customer, clients, tokens):
        self.gateway, self.clients = gateway, clients
        self.limit = tokens * COMPLETION_NANO + random.randrange(COMPLETION_NANO)
        key, self.secret = gateway.key(customer)
        amount = f"{self.limit // 10**9}.{self.limit % 10**9:09d}"
        gateway.admin("POST", "/limits", {"subject": key, "kind": "spend", "amount": amount, "currency": "USD", "window": "total"})
        self.served = self.refused = self.samples = self.highest = 0
        self.is_over = False

    def committed(self):
        """Settled and held, as the key itself is told."""
        limits = self.gateway.call("GET", "/v1/limits", key=self.secret)["data"]
        return sum(nano(limits[0][name]) for name in ("settled", "held")), nano(limits[0]["held"])

    async def client(self):
        while True:
            stream = Stream(random.randrange(2), random.choice([1, 3, 9, 27, 60]))
            leave = random.randrange(1, 8) if random.random() < 0.2 else None
            await stream.run(self.gateway.port, self.secret, leave)
            if stream.status == 200:
                self.served += 1
                continue
            if stream.status in (429, 503):
                await asyncio.sleep(0.05)
                continue
            require(stream.status == 402, f"a request is answered with {stream.status}: {stream.error}")
            self.refused += 1
            if b"in progress hold" not in stream.error:
                return  # No open hold stands in the way: the money is used up.
            await asyncio.sleep(random.uniform(0.02, 0.2))

    async def watch(self):
        while not self.is_over:
            committed, _ = await asyncio.to_thread(self.committed)
            self.samples += 1
            self.highest = max(self.highest, committed)
            require(committed <= self.limit, f"settled and held are {committed}, above the limit of {self.limit}")
            await asyncio.sleep(0.02)

    async def run(self, smallest):
        watcher = asyncio.create_task(self.watch())
        await asyncio.gather(*(self.client() for _ in range(self.clients)))
        self.is_over = True
        await watcher
        patience = time.monotonic() + 60
        while (committed := await asyncio.to_thread(self.committed))[1] > 0:
            require(time.monotonic() < patience, f"{committed[1]} nano are held and nobody runs")
            await asyncio.sleep(0.05)
        left = self.limit - committed[0]
        require(0 <= left < smallest, f"{left} nano are left of the limit, and a request needs only {smallest}")
        return left


def smallest_hold(gateway, customer):
    """What the shortest prompt and one token cost: the smallest request that can be refused."""
    _, secret = gateway.key(customer)
    costs = []
    for prompt in range(2):
        stream = Stream(prompt, 1)
        asyncio.run(stream.run(gateway.port, secret))
        require(stream.amount is not None, "a request of one token is served")
        costs.append(stream.amount)
    return min(costs)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--clients", type=int, default=500)
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--tokens", type=int, default=6000, help="how many tokens a bout's limit pays for")
    parser.add_argument("--seed", type=int, default=random.getrandbits(32))
    options = parser.parse_args()
    random.seed(options.seed)
    print(f"seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="weighbridge-contest-") as directory:
        gateway = Gateway(options.binary, directory)
        try:
            gateway.start()
            customer, _ = gateway.open()
            smallest = smallest_hold(gateway, customer)
            start = time.monotonic()
            bouts = 0
            while time.monotonic() - start < options.seconds or not bouts:
                bout = Bout(gateway, customer, options.clients, options.tokens)
                left = asyncio.run(bout.run(smallest))
                bouts += 1
                print(f"bout {bouts}, {time.monotonic() - start:.0f} s: {bout.served} served, {bout.refused} refusals, at most "
                      f"{bout.highest} of {bout.limit} nano in {bout.samples} samples; {left} left, the smallest request holds {smallest}",
                      flush=True)
            gateway.stop()
        except Failure as failure:
            print(f"FAILED (seed {options.seed}): {failure}")
            if gateway.process and gateway.process.poll() is None:
                gateway.kill()
            return 1
    print(f"{options.clients} clients, {bouts} limits used up: none was ever passed, and less was left than any refused request needs")
    return 0


if __name__ == "__main__":
    sys.exit(main())
