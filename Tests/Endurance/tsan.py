"""Runs the concurrent tests of the governance column under the thread sanitizer, and tells its reports apart.

    tsan.py [--filter REGEX] [--keep-package DIRECTORY]      builds and runs the tests
    tsan.py --log FILE                                       judges the reports of an earlier run

Python's standard library only. The modules and tests are built as a package of their own: the sanitizer needs everything compiled anew.

`Synchronization.Mutex` waits in the kernel when it is contended, and the kernel hands the lock over where the sanitizer does not look: it
misses that unlocking happens before locking, and takes what two bodies of `withLock` do one after the other for a race. Such a report is
known, and known alone, where *both* accesses happen inside a body of `withLock` over the *same* state; every other one is a race.
"""

import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODULES = ["GovernanceTypes", "Documents", "Completions", "LicenseTerms", "Audience", "AcceptableUse", "UsageLedger", "Billing", "AuditTrail",
           "Governance", "GovernanceStore", "AuditSigning", "Simulation"]
TESTS = ["UsageLedgerTests", "GovernanceTests", "GovernanceStoreTests"]
PACKAGE = """// swift-tools-version: 6.2
import PackageDescription
let settings: [SwiftSetting] = [
  .swiftLanguageMode(.v6), .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"), .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]
let sqlite: [Target.Dependency] = [.product(name: "GRDB", package: "GRDB.swift"), .product(name: "GRDBSQLite", package: "GRDB.swift")]
let names = [%s]
let tests = [%s]
let package = Package(
  name: "sanitized", platforms: [.macOS(.v15)], dependencies: [.package(path: "GRDB.swift")],
  targets: [.systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto")]
    + names.enumerated().map { place, name in
      .target(
        name: name,
        dependencies: names[..<place].map { .byName(name: $0) } + (name == "GovernanceStore" ? sqlite : [])
          + (name == "AuditSigning" ? ["COpenSSL"] : []),
        resources: name == "AuditTrail" ? [.embedInCode("Resources/proof.py"), .embedInCode("Resources/verify.py")] : [],
        swiftSettings: settings)
    }
    + tests.map { .testTarget(name: $0, dependencies: names.map { .byName(name: $0) } + sqlite, swiftSettings: settings) })
"""

# The state that a body of `withLock` is handed, in a demangled name; of a tuple the name does not say that it is sent.
BODY = re.compile(r"\((?:sending inout|inout sending|inout(?= \(.*\)\) -> sending)) ((?:[^()]|\([^()]*\))+)\)")
ACCESS = re.compile(r"^  (?:Previous )?(?:modifying access|write|read|atomic|Write|Read|Modifying|Atomic).* by (?:main )?thread")


def prepare(directory):
    """The package, by links to the sources."""
    subprocess.run(["swift", "package", "resolve"], cwd=ROOT, check=True)
    (directory / "Sources").mkdir(parents=True, exist_ok=True)
    (directory / "Tests").mkdir(exist_ok=True)
    links = {directory / "Sources" / name: ROOT / "Sources" / name for name in MODULES + ["COpenSSL"]}
    links |= {directory / "Tests" / name: ROOT / "Tests" / name for name in TESTS}
    links[directory / "GRDB.swift"] = ROOT / ".build/checkouts/GRDB.swift"
    for link, target in links.items():
        if not link.is_symlink():
            link.symlink_to(target)
    quoted = [", ".join(f'"{name}"' for name in names) for names in (MODULES, TESTS)]
    (directory / "Package.swift").write_text(PACKAGE % tuple(quoted))


def run(directory, pattern, log):
    """Builds and runs the tests; their status."""
    build = subprocess.run(["swift", "build", "--build-tests", "--sanitize", "thread"], cwd=directory)
    if build.returncode != 0:
        raise SystemExit("the package does not build")
    command = ["env", f"TSAN_OPTIONS=halt_on_error=0 exitcode=0 log_path={log}", "swift", "test", "--skip-build", "--sanitize", "thread",
               "--disable-xctest"] + (["--filter", pattern] if pattern else [])
    return subprocess.run(command, cwd=directory).returncode


def reports(text):
    """The reports, with the stacks of their accesses."""
    for part in text.split("==================\n"):
        if "WARNING: ThreadSanitizer" not in part:
            continue
        stacks, stack = [], None
        for line in part.splitlines():
            if ACCESS.match(line):
                stack = []
                stacks.append(stack)
            elif not line.strip():
                stack = None
            elif stack is not None and line.lstrip().startswith("#"):
                stack.append(line.strip())
        yield part.strip(), stacks


def judge(text):
    """Known reports and races."""
    demangled = subprocess.run(["swift", "demangle"], input=text, stdout=subprocess.PIPE, text=True, check=True).stdout
    known, races = {}, []
    for report, stacks in reports(demangled):
        bodies = [{state for frame in stack for state in BODY.findall(frame)} for stack in stacks]
        shared = set.intersection(*bodies) if len(bodies) >= 2 else set()
        if shared and "data race" in report or shared and "Swift access race" in report:
            state = sorted(shared)[0]
            known[state] = known.get(state, 0) + 1
        else:
            races.append(report)
    return known, races


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--filter", default="", help="a regular expression over the names of tests")
    parser.add_argument("--keep-package", default=str(ROOT / ".build/sanitized"), help="where the package is built")
    parser.add_argument("--log", help="a file with reports")
    options = parser.parse_args()
    status = 0
    if options.log:
        text = pathlib.Path(options.log).read_text(errors="replace")
    else:
        directory = pathlib.Path(options.keep_package)
        with tempfile.TemporaryDirectory() as logs:
            prepare(directory)
            status = run(directory, options.filter, f"{logs}/report")
            text = "".join(path.read_text(errors="replace") for path in sorted(pathlib.Path(logs).iterdir()))
    known, races = judge(text)
    for state, count in sorted(known.items()):
        print(f"known: {count} reports inside the lock of {state}")
    for race in races:
        print(f"\n{race}")
    print(f"{sum(known.values())} known reports, {len(races)} races" + ("" if status == 0 else f"; the tests ended with status {status}"))
    return 1 if races else status


if __name__ == "__main__":
    sys.exit(main())
