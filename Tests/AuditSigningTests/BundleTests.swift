import AuditSigning
import AuditTrail
import Documents
import Glibc
import GovernanceTypes
import Testing

private let python: Comment = "python3 or openssl is not installed"
private let hasPrograms = Program.python3.isInstalled && Program.openssl.isInstalled
private let entriesInLog = 140

private let shared: (log: SampleLog, keys: SampleKeys) = {
  do { return (SampleLog(entries: entriesInLog, marks: [0, 37]), try SampleKeys()) } catch { preconditionFailure("\(error)") }
}()

private func bundle(first: Int = 37, previous: Int = 37) throws -> SampleBundle {
  try SampleBundle(log: shared.log, keys: shared.keys, first: first, previous: previous)
}

/// Both verifiers must refuse the bundle and say `place`.
private func expectRefused(_ bundle: SampleBundle, _ place: String, _ what: Comment? = nil) throws {
  let report = bundle.verify()
  #expect(!report.isSound, what)
  #expect(
    report.findings.contains { $0.description.hasPrefix(place) }, "\(what.map { "\($0)" } ?? ""): \(place) in \(report.findings)")
  guard hasPrograms else { return }
  let script = try bundle.verifyByScript()
  #expect(script.status == 1, what)
  let lines = script.output.split(separator: "\n")
  #expect(lines.contains { $0.hasPrefix(place) }, "\(what.map { "\($0)" } ?? ""): \(place) in \(script.output)")
}

private func split(_ bytes: [UInt8]) -> [[UInt8]] {
  bytes.split(separator: 0x0A, omittingEmptySubsequences: false).dropLast().map { Array($0) }
}
private func joined(_ lines: [[UInt8]]) -> [UInt8] { lines.flatMap { $0 + [0x0A] } }

/// Does to the manifest what someone without its signing key can do: makes it fit the files again.
private func refit(_ bundle: SampleBundle) throws {
  var manifest = try BundleManifest(try bundle.file(BundlePath.manifest))
  manifest.files = try manifest.files.map { file in
    let bytes = try bundle.file(file.path)
    return BundleManifest.File(path: file.path, sha256: sha256(bytes), size: bytes.count)
  }
  let lines = split(try bundle.file(BundlePath.entries))
  manifest.entries = lines.count
  manifest.counts = try lines.reduce(into: [:]) { counts, line in
    var reader = try DocumentReader(try Document.parseJSON(line))
    counts[try reader.string("type"), default: 0] += 1
  }
  manifest.size = manifest.firstSequence + manifest.entries
  try bundle.replace(BundlePath.manifest, manifest.bytes)
}

enum Tampering: String, CaseIterable {
  case edit, drop, duplicate, swap, truncate, cut, blank

  /// The lines after it, and the place that must be named.
  func apply(_ lines: [[UInt8]], at line: Int) -> (bytes: [UInt8], place: String) {
    var lines = lines
    let index = line - 1
    switch self {
    case .edit:
      // A digit of the milliseconds: the line stays well-formed.
      let digit = lines[index].firstIndex(of: UInt8(ascii: "Z")).map { $0 - 1 } ?? 0
      lines[index][digit] = lines[index][digit] == UInt8(ascii: "1") ? UInt8(ascii: "2") : UInt8(ascii: "1")
    case .drop: lines.remove(at: index)
    case .duplicate:
      lines.insert(lines[index], at: index)
      return (joined(lines), "entries.jsonl line \(line + 1)")
    case .swap: lines.swapAt(index, index + 1 < lines.count ? index + 1 : index - 1)
    case .truncate: lines.removeSubrange(index...)
    case .cut: return (joined(Array(lines[..<index])) + lines[index].dropLast(5), "entries.jsonl line \(line)")
    case .blank: lines.insert([], at: index)
    }
    return (joined(lines), "entries.jsonl line \(self == .swap && index == lines.count - 1 ? line - 1 : line)")
  }
}

@Suite("audit bundles")
struct BundleTests {
  @Test(
    "a bundle is sound for both verifiers and for openssl",
    arguments: [(37, 37), (37, 20), (37, 90), (37, 0), (0, 0), (140, 140), (140, 37)])
  func sound(first: Int, previous: Int) throws {
    let bundle = try bundle(first: first, previous: previous)
    let report = bundle.verify()
    #expect(report.findings.isEmpty, "\(report.findings)")
    #expect(report.manifest?.entries == entriesInLog - first && report.checkpoint?.size == entriesInLog)
    #expect(report.signer?.contains("Example GmbH") == true)
    let amounts = shared.log.settlements.filter { $0.sequence >= first }.map(\.amount).reduce(0, +)
    #expect(report.totals.map(\.settled.amount.nano).reduce(0, +) == Int128(amounts))
    #expect(report.openAfter == shared.log.openAt[entriesInLog])
    guard hasPrograms else { return }
    let script = try bundle.verifyByScript()
    #expect(script.status == 0, "\(script.output)")
    let manifest = [
      "-in", "\(bundle.path)/manifest.cms", "-content", "\(bundle.path)/manifest.json", "-CAfile",
      "\(bundle.path)/keys/signer.pem",
    ]
    #expect(try run("openssl", ["cms", "-verify", "-binary", "-inform", "DER", "-out", "/dev/null"] + manifest).status == 0)
  }

  @Test("the commands in README.txt work as written", .enabled(if: hasPrograms, python))
  func readme() throws {
    let bundle = try SampleBundle(log: shared.log, keys: shared.keys, first: 37, previous: 37, authority: try SampleAuthority())
    let judged = try bundle.verifyByScript()
    #expect(bundle.verify().isSound && judged.status == 0, "\(judged.output)")
    let text = String(decoding: try bundle.file(BundlePath.readme), as: UTF8.self)
    let commands = text.split(separator: "\n").filter { $0.hasPrefix("    ") }.joined(separator: "\n")
    let byHand = commands.split(separator: "\n").drop { !$0.contains("openssl cms") }.prefix { !$0.contains("python3 proof.py") }
    #expect(byHand.count > 13)
    try writeFile("\(bundle.path)/../commands.sh", Array("set -e\ncd '\(bundle.path)'\n\(byHand.joined(separator: "\n"))\n".utf8))
    let result = try run("bash", ["\(bundle.path)/../commands.sh"])
    #expect(result.status == 0, "\(result.output)")
    #expect(result.output.contains("terms/llama-2.yaml: OK") && result.output.contains("manifest.tsr: OK"))
    #expect(result.output.split(separator: "\n").count { $0 == "Signature Verified Successfully" } == 2, "\(result.output)")
    #expect(result.output.contains("Verification: OK"))
    let leaf = split(try bundle.file(BundlePath.leaves))[16]
    #expect(result.output.contains("\(String(decoding: leaf, as: UTF8.self))  -"))
  }

  @Test("one byte changed in any file is found, and the file is named")
  func oneByte() throws {
    let manifest = try BundleManifest(try bundle().file(BundlePath.manifest))
    for name in manifest.files.map(\.path) + [BundlePath.manifest, BundlePath.signature] {
      let bundle = try bundle()
      var bytes = try bundle.file(name)
      let index = bytes.count / 2
      bytes[index] ^= 1
      if name == BundlePath.script || name == BundlePath.proofScript {
        // A script that was changed cannot be asked about itself.
        try bundle.replace(name, bytes)
        #expect(bundle.verify().findings.map(\.file) == [name])
        continue
      }
      try bundle.replace(name, bytes)
      let line = bytes[..<index].count { $0 == 0x0A } + 1
      let place = name == BundlePath.entries || name == BundlePath.leaves ? "\(name) line \(line)" : name
      // Whether the manifest or its signature was changed cannot be told from the two alone.
      try expectRefused(bundle, name == BundlePath.manifest ? "manifest." : place, "one bit of \(name)")
    }
  }

  @Test("a line edited, dropped, doubled, moved or cut off is named", arguments: Tampering.allCases, [1, 17, 103])
  func lines(_ tampering: Tampering, line: Int) throws {
    let bundle = try bundle()
    let (bytes, place) = tampering.apply(split(try bundle.file(BundlePath.entries)), at: line)
    try bundle.replace(BundlePath.entries, bytes)
    try expectRefused(bundle, place, "\(tampering.rawValue) \(line)")
  }

  @Test(
    "an insider who makes the manifest fit again has no key to sign it, and the line is named", arguments: Tampering.allCases,
    [17, 103])
  func insider(_ tampering: Tampering, line: Int) throws {
    guard tampering != .blank, tampering != .cut else { return }
    let bundle = try bundle()
    let (bytes, place) = tampering.apply(split(try bundle.file(BundlePath.entries)), at: line)
    try bundle.replace(BundlePath.entries, bytes)
    try refit(bundle)
    try expectRefused(bundle, place, "\(tampering.rawValue) \(line)")
    try expectRefused(bundle, "manifest.cms", "\(tampering.rawValue) \(line)")
  }

  @Test("an insider who rewrites the leaf hashes as well is caught by the signed root", arguments: Tampering.allCases, [17])
  func insiderWithLeaves(_ tampering: Tampering, line: Int) throws {
    guard tampering != .blank, tampering != .cut else { return }
    let bundle = try bundle()
    let (bytes, place) = tampering.apply(split(try bundle.file(BundlePath.entries)), at: line)
    try bundle.replace(BundlePath.entries, bytes)
    try bundle.replace(BundlePath.leaves, joined(split(bytes).map { Array(SampleBundle.tree.leafHash($0).hexadecimal.utf8) }))
    try refit(bundle)
    // An edit that leaves a well-formed line in order cannot be told from its neighbours then; a gap in the sequence can.
    let isPlain = tampering == .edit
    try expectRefused(bundle, isPlain ? "entries.jsonl" : place, "\(tampering.rawValue) \(line)")
  }

  @Test("a line of usage.csv that was changed, dropped or doubled is named")
  func usage() throws {
    let bundle = try bundle()
    let rows = split(try bundle.file(BundlePath.usage))
    var higher = rows
    higher[5] = Array((String(decoding: rows[5].dropLast(), as: UTF8.self) + "0\r").utf8)
    var doubled = rows
    doubled.insert(rows[5], at: 5)
    var customer = rows
    customer[5] = Array(
      String(decoding: rows[5], as: UTF8.self).replacing("cus_00000000000000000000000001", with: "cus_00000000000000000000000004")
        .replacing("cus_00000000000000000000000002", with: "cus_00000000000000000000000004")
        .replacing("cus_00000000000000000000000003", with: "cus_00000000000000000000000004").utf8)
    for (changed, place) in [(higher, "usage.csv line 6"), (doubled, "usage.csv line 7"), (customer, "usage.csv line 6")] {
      try bundle.replace(BundlePath.usage, joined(changed))
      try expectRefused(bundle, place)
    }
    var fewer = rows
    fewer.remove(at: 5)
    try bundle.replace(BundlePath.usage, joined(fewer))
    try expectRefused(bundle, "usage.csv: lacks")
    try bundle.replace(BundlePath.usage, [])
    try expectRefused(bundle, "usage.csv")
  }

  @Test("files that are missing, too many, or no files")
  func fileSet() throws {
    for name in [BundlePath.signature, BundlePath.leaves, BundlePath.previousCheckpoint, "terms/llama-2.yaml", BundlePath.usage] {
      let bundle = try bundle()
      unlink("\(bundle.path)/\(name)")
      try expectRefused(bundle, "\(name): is missing")
    }
    let bundle = try bundle()
    try bundle.replace("terms/other.yaml", [])
    try expectRefused(bundle, "terms/other.yaml: is not in the manifest")
    unlink("\(bundle.path)/terms/other.yaml")
    symlink("/etc/hostname", "\(bundle.path)/link")
    #expect(!bundle.verify().isSound)
  }

  @Test("a whole bundle made anew with other keys is sound in itself, and refused by who knows the keys")
  func otherKeys() throws {
    let forged = try SampleBundle(log: shared.log, keys: try SampleKeys(), first: 37, previous: 37)
    #expect(forged.verify().isSound)
    let trust = BundleVerifier.Trust(logKey: try shared.keys.noteKey, signerCertificate: shared.keys.signer.certificate)
    #expect(forged.verify(trust: trust).findings.map(\.file).sorted() == [BundlePath.logKey, BundlePath.signerCertificate])
    let honest = try bundle()
    let report = honest.verify(trust: trust)
    #expect(report.isSound && report.isLogKeyTrusted && report.isSignerTrusted)
    guard hasPrograms else { return }
    let certificate = "\(honest.path)/keys/signer.pem"
    let key = try shared.keys.noteKey.vkey
    #expect(try forged.verifyByScript().status == 0)
    let refused = try forged.verifyByScript([key, certificate])
    #expect(refused.status == 1 && refused.output.contains("keys/log.vkey: ") && refused.output.contains("manifest.cms: "))
    #expect(try honest.verifyByScript([key, certificate]).status == 0)
  }

  @Test("the script called wrongly ends with 2", .enabled(if: hasPrograms, python))
  func scriptUsage() throws {
    let bundle = try bundle()
    #expect(try run("python3", ["\(bundle.path)/verify.py"]).status == 2)
    #expect(try run("python3", ["\(bundle.path)/verify.py", "/nowhere"]).status == 2)
    #expect(try run("python3", ["\(bundle.path)/verify.py", "a", "b", "c", "d"]).status == 2)
  }

  @Test("what the CMS signature leaves open is its version numbers and algorithm names, and nothing that a signer says")
  func signatureFlips() throws {
    let bundle = try bundle()
    let (manifest, certificate) = (try bundle.file(BundlePath.manifest), try bundle.file(BundlePath.signerCertificate))
    let signature = try bundle.file(BundlePath.signature)
    var passed: Set<Int> = []
    for index in signature.indices {
      var changed = signature
      changed[index] ^= 1
      if (try? verifyCMS(manifest, changed, certificate)) != nil { passed.insert(index) }
    }
    // DER of INTEGER 1, of the object id of SHA-256, and of that of ecdsa-with-SHA256: the only bytes outside of what is signed.
    let names: [[UInt8]] = [
      [2, 1, 1], [6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1], [6, 8, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 4, 3, 2],
    ]
    for index in passed {
      let isName = names.contains { name in
        (max(0, index - name.count + 1)...index).contains { signature[$0...].starts(with: name) }
      }
      #expect(isName, "byte \(index)")
    }
  }
}

/// A bundle in memory, for trying what no disk is needed for.
private struct MemorySource: BundleSource {
  var files: [String: [UInt8]]

  func paths() throws -> [String] { Array(self.files.keys) }
  func open(_ path: String) throws -> () throws -> [UInt8]? {
    guard let bytes = self.files[path] else { throw ProgramError(message: "\(path) is absent") }
    var rest = bytes[...]
    return {
      guard !rest.isEmpty else { return nil }
      defer { rest = rest.dropFirst(1000) }
      return Array(rest.prefix(1000))
    }
  }
}

@Suite("hostile bundles")
struct HostileBundleTests {
  @Test("whatever is done to a file, the verifier ends with findings")
  func mutations() throws {
    let bundle = try bundle()
    let names = try BundleDirectory(path: bundle.path).paths().filter { $0 != BundlePath.signature }.sorted()
    let files = try Dictionary(uniqueKeysWithValues: names.map { ($0, try bundle.file($0)) })
    let signature = try bundle.file(BundlePath.signature)
    let seed: UInt64 = 0xB0B
    var state = seed
    func random(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % bound
    }
    for round in 0..<250 {
      var changed = files
      let name = names[random(names.count)]
      var bytes = changed[name] ?? []
      let index = random(bytes.count)
      switch random(5) {
      case 0: bytes[index] ^= UInt8(1 << random(8))
      case 1: bytes.remove(at: index)
      case 2: bytes.removeSubrange(index...)
      case 3: bytes.insert(contentsOf: [UInt8](repeating: UInt8(random(256)), count: 1 + random(100_000)), at: index)
      default: bytes = (0..<random(3000)).map { _ in UInt8(random(256)) }
      }
      changed[name] = bytes
      changed[BundlePath.signature] = signature
      let verifier = BundleVerifier(
        digests: .openSSL, verifySignature: Ed25519Key.verify, verifyManifest: verifyCMS, verifyTimestamp: Timestamping.verify)
      #expect(!verifier.verify(MemorySource(files: changed)).isSound, "seed \(seed), round \(round), \(name)")
    }
  }

  @Test(
    "a manifest that lies about sizes and counts",
    arguments: [
      { $0.size = 0 }, { $0.size = 1 << 52 }, { $0.entries = 0 }, { $0.entries = 1 << 52 }, { $0.firstSequence = 1 << 52 },
      { $0.previousSize = 1 << 52 }, { $0.origin = "" }, { $0.files = [] }, { $0.counts = ["hold": 1 << 52] },
      { $0.period = $0.period.lowerBound..<$0.period.lowerBound },
    ] as [@Sendable (inout BundleManifest) -> Void])
  func lyingManifest(change: @Sendable (inout BundleManifest) -> Void) throws {
    let bundle = try bundle()
    var manifest = try BundleManifest(try bundle.file(BundlePath.manifest))
    change(&manifest)
    try bundle.replace(BundlePath.manifest, manifest.bytes)
    // The manifest is signed anew: even its signer cannot make the rest fit.
    try bundle.replace(BundlePath.signature, try shared.keys.signer.sign(manifest.bytes))
    #expect(!bundle.verify().isSound)
    if hasPrograms { #expect(try bundle.verifyByScript().status == 1) }
  }
}

@Suite("writing bundles")
struct BundleWriterTests {
  struct MemorySink: BundleSink {
    var files: [String: [UInt8]] = [:]

    mutating func open(_ path: String) throws { self.files[path] = [] }
    mutating func append(_ bytes: [UInt8], to path: String) throws { self.files[path, default: []] += bytes }
    mutating func close(_ path: String) throws {}
  }

  private func write(
    _ change: (inout BundleDescription, inout [[UInt8]], inout [BundleContent]) throws -> Void
  ) throws
    -> MemorySink
  {
    var description = try SampleBundle.description(shared.log, shared.keys, first: 37, previous: 37)
    var lines = Array(shared.log.lines[37...])
    var contents = [BundleContent(path: BundlePath.usage, bytes: [])]
    try change(&description, &lines, &contents)
    var sink = MemorySink()
    var rest = lines[...]
    let writer = BundleWriter(digests: .openSSL, verifySignature: Ed25519Key.verify)
    _ = try writer.write(description, entries: { rest.popFirst() }, contents: contents, to: &sink, sign: shared.keys.signer.sign)
    return sink
  }

  @Test("what would not verify is not written to its end")
  func refusals() throws {
    #expect(try self.write { _, _, _ in }.files[BundlePath.manifest] != nil)
    let other = SampleLog(entries: 140, seed: 43, marks: [37])
    let fork = try SampleBundle.description(other, shared.keys, first: 37, previous: 37)
    let cases: [(String, (inout BundleDescription, inout [[UInt8]], inout [BundleContent]) throws -> Void)] = [
      ("checkpoint:", { _, lines, _ in lines.removeLast() }),
      ("entries.jsonl line 5:", { _, lines, _ in lines.swapAt(4, 5) }),
      ("entries.jsonl line 1:", { _, lines, _ in lines[0].append(0x20) }),
      (
        "entries.jsonl line 1: lies before",
        { description, _, _ in
          description.period = description.period.upperBound..<description.period.upperBound
        }
      ),
      ("consistency.json:", { description, _, _ in description.consistencyProof.removeLast() }),
      ("consistency.json:", { description, _, _ in description.previousCheckpoint = fork.previousCheckpoint }),
      (
        "checkpoint:",
        { description, _, _ in
          description.checkpoint = fork.checkpoint
          description.previousCheckpoint = nil
          description.consistencyProof = []
        }
      ),
      ("checkpoint:", { description, _, _ in description.checkpoint[4] ^= 1 }),
      ("usage.csv:", { _, _, contents in contents = [] }),
      ("keys/log.pem:", { _, _, contents in contents.append(BundleContent(path: "keys/log.pem", bytes: [])) }),
      ("terms/../x:", { _, _, contents in contents.append(BundleContent(path: "terms/../x", bytes: [])) }),
    ]
    for (place, change) in cases {
      let error = #expect(throws: BundleError.self) { try self.write(change) }
      #expect(error?.description.hasPrefix(place) == true, "\(place): \(error?.description ?? "nothing")")
    }
  }
}
