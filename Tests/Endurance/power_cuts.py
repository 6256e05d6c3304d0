"""Power cuts without a device: a shim keeps what would survive, and the gateway must go on from it.

    power_cuts.py BINARY [--cuts 200] [--streams 24] [--seed N]

power_cut.c is compiled with the system's C compiler and loaded into the gateway. At a cut the process is killed and its database replaced
by the image of what was synced; in half of the cuts an arbitrary part of what was written since, in sectors of 512 bytes, reaches the disk
as well. After the restart the checks are those of crash_rounds.py: nothing that was acknowledged is lost, nothing is charged twice.
"""

import argparse
import asyncio
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time

from endurance import Failure, Gateway, Rounds, require

SECTOR = 512


class Disk:
    """The images that the shim keeps, and what a cut leaves of the files."""

    def __init__(self, directory):
        self.data = pathlib.Path(directory) / "data"
        self.image = pathlib.Path(directory) / "image"
        self.image.mkdir()
        self.shim = pathlib.Path(directory) / "power_cut.so"
        source = pathlib.Path(__file__).with_name("power_cut.c")
        subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-Wall", "-o", self.shim, source, "-ldl"], check=True)
        self.torn = 0

    @property
    def environment(self):
        return {"LD_PRELOAD": str(self.shim), "POWER_CUT_DIRECTORY": str(self.data.resolve()), "POWER_CUT_IMAGE": str(self.image)}

    def cut(self, is_torn):
        """Leaves in the data directory what had reached the disk."""
        for path in self.data.glob("weighbridge.sqlite*"):
            image = self.image / path.name
            if not image.exists():
                # It was made and never synced.
                path.unlink()
                continue
            durable = bytearray(image.read_bytes())
            dirty = self.image / (path.name + ".dirty")
            if is_torn and dirty.exists():
                self._tear(durable, path.read_bytes(), dirty)
            path.write_bytes(durable)
            image.write_bytes(durable)
        for dirty in self.image.glob("*.dirty"):
            dirty.unlink()

    def _tear(self, durable, written, dirty):
        for line in dirty.read_text().splitlines():
            offset, length = map(int, line.split())
            for start in range(offset // SECTOR * SECTOR, offset + length, SECTOR):
                sector = written[start:start + SECTOR]
                if random.random() < 0.5 or not sector:
                    continue
                if len(durable) < start + len(sector):
                    durable.extend(bytes(start + len(sector) - len(durable)))
                durable[start:start + len(sector)] = sector
                self.torn += 1


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--cuts", type=int, default=200)
    parser.add_argument("--streams", type=int, default=24)
    parser.add_argument("--seed", type=int, default=random.getrandbits(32))
    options = parser.parse_args()
    random.seed(options.seed)
    print(f"seed {options.seed}", flush=True)
    number = 0
    with tempfile.TemporaryDirectory(prefix="weighbridge-power-") as directory:
        disk = Disk(directory)
        gateway = Gateway(options.binary, directory, disk.environment)
        rounds = Rounds(gateway, options.streams)
        start = time.monotonic()
        try:
            rounds.prepare()
            require((disk.image / "weighbridge.sqlite-wal").exists(), "the shim has seen no sync: is it loaded?")
            for number in range(1, options.cuts + 1):
                streams = asyncio.run(rounds.work())
                disk.cut(is_torn=random.random() < 0.5)
                gateway.start()
                rounds.check(streams)
                if number % 10 == 0 or number == options.cuts:
                    print(f"cut {number}, {time.monotonic() - start:.0f} s, {disk.torn} sectors torn: {rounds.summary()}", flush=True)
            gateway.stop()
        except Failure as failure:
            print(f"FAILED at cut {number} (seed {options.seed}): {failure}")
            if gateway.process and gateway.process.poll() is None:
                gateway.kill()
            kept = pathlib.Path(tempfile.mkdtemp(prefix="weighbridge-power-kept-"))
            shutil.copytree(directory, kept, dirs_exist_ok=True)
            print(f"the files are kept in {kept}")
            return 1
    print(f"{options.cuts} power cuts under {options.streams} streams: nothing lost, nothing charged twice, all books agree")
    return 0


if __name__ == "__main__":
    sys.exit(main())
