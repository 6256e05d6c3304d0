"""Plants deliberate bugs, one at a time, into a copy of the sources, and shows that the simulation finds each.

Python's standard library only. The copy is a package of its own with the modules that the simulation needs; the repository is left as it is.

    simulate_mutants.py [--seeds N] [--only WORD] [--keep DIRECTORY]
"""

import argparse
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODULES = ["GovernanceTypes", "Documents", "Completions", "LicenseTerms", "Audience", "AcceptableUse", "UsageLedger", "Billing",
           "Governance", "Simulation"]
PACKAGE = """// swift-tools-version: 6.2
import PackageDescription
let settings: [SwiftSetting] = [
  .swiftLanguageMode(.v6), .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"), .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]
let names = [%s]
let package = Package(
  name: "mutants", platforms: [.macOS(.v15)],
  targets: names.enumerated().map { place, name in
    .target(name: name, dependencies: names[..<place].map { .byName(name: $0) }, swiftSettings: settings)
  } + [.executableTarget(name: "simulate", dependencies: ["Simulation"], swiftSettings: settings)])
"""

LEDGER, LIMITS, CREDIT = "UsageLedger/Ledger.swift", "UsageLedger/Ledger+Limits.swift", "UsageLedger/Credit.swift"
ADJUST = "Governance/Admin/Gate+Adjustments.swift"
STEP, SETTLE, LIVE = "Governance/Request/DeliveryStep.swift", "Governance/Request/Settlement.swift", "Governance/Request/LiveRequest.swift"
DELIVERY = "Governance/Request/Delivery.swift"
RECOVERY, KEYS, UNWRITTEN = "Governance/Recovery.swift", "Governance/Request/Idempotency.swift", "Governance/Request/Unwritten.swift"

# What the bug is, and the text that makes it: file, what stands there, what is put there.
MUTANTS = [
    ("settle before commit", [(SETTLE, "try await settled.ticket.durable()\n      record.receipt", "record.receipt")]),
    ("answer before the hold is on disk", [(LIVE, "      try await ticket.durable()\n", "      if ticket.receipt != nil { try await ticket.durable() }\n")]),
    ("check a limit without what is pending", [
        (LIMITS, "max(.zero, most - self.used(of: bound, at: heldAt).committed)", "max(.zero, most - self.used(of: bound, at: heldAt).settled)"),
        (LIMITS, "max(.zero, most - used.committed)", "max(.zero, most - used.settled)")]),
    ("release a hold twice", [(LEDGER, "$0.held -= hold.amount; $0.heldTokens", "$0.held -= hold.amount; $0.held -= hold.amount; $0.heldTokens")]),
    ("never release a hold", [(LEDGER, "$0.held -= hold.amount; $0.heldTokens -= hold.tokens.value", "$0.held -= .zero")]),
    ("charge on retry", [
        (KEYS, "guard let key = self.idempotencyKey(call, caller) else { return nil }", "guard let key = self.idempotencyKey(call, caller), call.secret.isEmpty else { return nil }"),
        (KEYS, "if let known = state.idempotency[key], now < known.expires { return false }", "")]),
    ("forget idempotency keys at a restart", [(KEYS, "self.idempotencyKey(dossier.call, dossier.caller).map {\n      IdempotencyRecord(", "self.idempotencyKey(dossier.call, dossier.caller).flatMap { now.seconds > 0 ? nil :\n      IdempotencyRecord(")]),
    ("deliver beyond the last mark on disk", [(STEP, "    try await ticket.durable()\n    delivery.highWater", "    delivery.highWater")]),
    ("forget a token of which a part was shown", [(DELIVERY, "self.answers.reduce(self.clearedTokens) { $0 + $1.tokensShownInPart }", "self.clearedTokens")]),
    ("mark more than was delivered", [(STEP, "delivered: TokenCount(delivery.deliveredTokens)", "delivered: TokenCount(delivery.deliveredTokens + 1)")]),
    ("use an extension before it is on disk", [(STEP, "    try await added.ticket.durable()\n", "")]),
    ("recover at the high water", [(RECOVERY, "completion: hold.delivered)", "completion: TokenCount(most))")]),
    ("void every hold at recovery", [(RECOVERY, "let isDelivered = hold.delivered > .zero", "let isDelivered = hold.delivered > hold.tokens")]),
    ("leave out what is lost at recovery", [(RECOVERY, "let uncertain = TokenCount(most - hold.delivered.value)", "let uncertain = TokenCount(min(0, most))")]),
    ("forget at a restart what was settled", [(RECOVERY, "loaded.ledger.restore(settled: total.amount, tokens: total.tokens, as: total.asHold)", "_ = total.asHold")]),
    ("charge what was produced, not what was delivered", [(SETTLE, "completion: TokenCount(delivery.deliveredTokens))", "completion: TokenCount(delivery.producedTokens))")]),
    ("charge nothing to whoever leaves", [(SETTLE, "guard delivery.deliveredTokens > 0 ||", "guard delivery.deliveredTokens > 9999 ||")]),
    ("keep a hold that never reached the disk", [(SETTLE, "      _ = state.ledger.void(hold.usage, at: state.tick(self.environment.now()))\n", "")]),
    ("drop a settlement that the disk refused", [(UNWRITTEN, "    state.unwritten.add(Unwritten(record: record, records: records, attempt: ticket))\n", "")]),
    ("use credit without taking it away", [(CREDIT, "    self.left -= amount\n    return parts", "    return parts")]),
    ("count no concurrent request", [(LEDGER, "self.concurrent[subject, default: 0] += 1", "self.concurrent[subject, default: 0] += 0")]),
    ("give back more than was charged", [(ADJUST, "guard charged + request.amount >= .zero else {", "guard charged + request.amount >= -NanoAmount.largest else {")]),
    ("correct twice under one name", [(ADJUST, "let known = state.adjustments.with(reference: reference) {", "let known = state.adjustments.with(reference: reference), known.usage != request.usage {")]),
    ("keep a correction that never reached the disk", [(ADJUST, "        if let adjusted { state.ledger.undo(adjusted) }\n", "")]),
    ("forget at a restart what was corrected", [(ADJUST, "    self.ledger.restore(adjustment: adjustment.amount, of: adjustment.closed(charged: .zero), refund: adjustment.refund)\n", "")]),
    ("forget what the engine made for nobody", [(SETTLE, "case .delta, .deltas: produced += event.steps.reduce(0) { $0 + $1.tokens }", "case .delta, .deltas: break")]),
]


def prepare(directory):
    """The package of its own; a directory that holds it already keeps what was built there."""
    sources = directory / "Sources"
    shutil.rmtree(sources, ignore_errors=True)
    for module in MODULES:
        shutil.copytree(ROOT / "Sources" / module, sources / module)
    shutil.copytree(ROOT / "Tests/Endurance/Simulate", sources / "simulate")
    (directory / "Package.swift").write_text(PACKAGE % ", ".join(f'"{name}"' for name in MODULES))


def build(directory):
    result = subprocess.run(["swift", "build", "--product", "simulate"], cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return result.returncode == 0, "\n".join(line for line in result.stdout.splitlines() if "error:" in line) or result.stdout[-800:]


def simulate(directory, seeds):
    """Whether all seeds kept their promises, the first seed that did not, and what the auditor said."""
    try:
        result = subprocess.run([directory / ".build/debug/simulate", "--seeds", str(seeds)], stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, timeout=900)
    except subprocess.TimeoutExpired:
        return False, "-", "it does not come to an end"
    if result.returncode == 0:
        return True, "-", "no violation"
    seed, finding = "-", f"ends with status {result.returncode}"
    for line in result.stdout.splitlines():
        if line.startswith("seed ") and seed == "-":
            seed = line.split()[1]
        elif line.startswith("  ") and seed != "-":
            finding = line.strip()
            break
    return False, seed, finding


class Stale(Exception):
    """The text that a bug replaces does not stand where it should."""


def plant(directory, changes):
    """Applies the changes; gives the files as they were. Nothing is changed where one of them does not fit."""
    before, after = {}, {}
    for name, old, new in changes:
        path = directory / "Sources" / name
        text = after.get(path, path.read_text())
        if text.count(old) != 1:
            raise Stale(f"{name} holds {text.count(old)} times, and not once: {old.strip()}")
        before.setdefault(path, path.read_text())
        after[path] = text.replace(old, new)
    for path, text in after.items():
        path.write_text(text)
    return before


def judge(directory, changes, seeds):
    """One bug: the verdict, the seed and the finding."""
    try:
        before = plant(directory, changes)
    except Stale as stale:
        return "ERROR", "-", str(stale)
    try:
        done, said = build(directory)
        if not done:
            return "ERROR", "-", f"does not build: {said.splitlines()[0] if said else ''}"
        kept, seed, finding = simulate(directory, seeds)
        return ("MISSED" if kept else "caught"), seed, finding
    finally:
        for path, text in before.items():
            path.write_text(text)


def run(directory, options):
    """Builds the sources as they are, then with one bug after the other; the verdicts."""
    prepare(directory)
    done, said = build(directory)
    if not done:
        raise SystemExit(f"the sources as they are do not build:\n{said}")
    kept, seed, finding = simulate(directory, options.seeds)
    if not kept:
        raise SystemExit(f"the sources as they are break a promise already, with seed {seed}: {finding}")
    print(f"as it is: {options.seeds} schedules, no violation\n", flush=True)
    print("verdict  seed  seconds  bug: the promise that was broken", flush=True)
    verdicts = []
    for name, changes in MUTANTS:
        if options.only in name:
            start = time.monotonic()
            verdict, seed, finding = judge(directory, changes, options.seeds)
            verdicts.append(verdict)
            print(f"{verdict:7}  {seed:>4}  {time.monotonic() - start:7.0f}  {name}: {finding[:160]}", flush=True)
    return verdicts


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=2000)
    parser.add_argument("--only", default="", help="bugs with this word in their name")
    parser.add_argument("--keep", help="build here, and leave it for the next time")
    options = parser.parse_args()
    # What ends the program by a signal passes through the clean-up too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    directory = pathlib.Path(options.keep or tempfile.mkdtemp(prefix="weighbridge-mutants-"))
    directory.mkdir(parents=True, exist_ok=True)
    try:
        verdicts = run(directory, options)
    except KeyboardInterrupt:
        return 130
    finally:
        if not options.keep:
            shutil.rmtree(directory, ignore_errors=True)
    caught = verdicts.count("caught")
    print(f"\n{caught} of {len(verdicts)} caught, {verdicts.count('MISSED')} missed, {verdicts.count('ERROR')} could not be planted or built")
    return 0 if verdicts and caught == len(verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
