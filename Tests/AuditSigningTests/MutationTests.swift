import AuditSigning
import AuditTrail
import Documents
import Glibc
import GovernanceTypes
import Testing

/// How many mutations one run tries: few in the usual tests, as many as `make audit-mutations` says.
private let mutations = getenv("WEIGHBRIDGE_MUTATIONS").flatMap { Int(String(cString: $0)) } ?? 24

/// Numbers that follow from a seed.
private struct Numbers {
  var state: UInt64

  mutating func below(_ bound: Int) -> Int {
    self.state = self.state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Int(self.state >> 33) % bound
  }
}

/// A bundle with all that one can have, and a copy of its scripts that no mutation touches.
private struct Specimen {
  let bundle: SampleBundle
  let files: [String: [UInt8]]
  let keys: SampleKeys
  private let scripts: TemporaryDirectory

  init(authority: Bool) throws {
    self.keys = try SampleKeys()
    let log = SampleLog(entries: 60, seed: 7, marks: [0, 17])
    self.bundle = try SampleBundle(
      log: log, keys: self.keys, first: 17, previous: 17, authority: authority ? try SampleAuthority() : nil)
    let bundle = self.bundle
    self.files = try Dictionary(
      uniqueKeysWithValues: BundleDirectory(path: bundle.path).paths().map { ($0, try bundle.file($0)) })
    self.scripts = try TemporaryDirectory()
    for name in [BundlePath.script, BundlePath.proofScript] {
      try writeFile("\(self.scripts.path)/\(name)", try bundle.file(name))
    }
  }

  /// What both verifiers say, in words where they do not agree with `accepted`.
  func disagreement(accepted: Bool) throws -> String? {
    let report = self.bundle.verify()
    let script = try run("python3", ["\(self.scripts.path)/verify.py", self.bundle.path])
    guard report.isSound == accepted, (script.status == 0) == accepted, accepted || script.status == 1 else {
      return "audit verify: \(report.findings), verify.py: \(script.status) \(script.output)"
    }
    return nil
  }

  func restore(_ name: String) throws { try self.bundle.replace(name, self.files[name] ?? []) }

  /// Makes manifest, signature and sums fit the files again, as whoever has the signing key can.
  func reseal() throws {
    var manifest = try BundleManifest(try self.bundle.file(BundlePath.manifest))
    manifest.files = try manifest.files.map { file in
      let bytes = try self.bundle.file(file.path)
      return BundleManifest.File(path: file.path, sha256: sha256(bytes), size: bytes.count)
    }
    let signature = try self.keys.signer.sign(manifest.bytes)
    try self.bundle.replace(BundlePath.manifest, manifest.bytes)
    try self.bundle.replace(BundlePath.signature, signature)
    let sums = [(BundlePath.signature, signature), (BundlePath.manifest, manifest.bytes)].map {
      "\(sha256($0.1).hexadecimal)  \($0.0)\n"
    }
    try self.bundle.replace(BundlePath.sums, Array(sums.joined().utf8))
  }
}

@Suite(
  "mutated bundles",
  .enabled(if: Program.python3.isInstalled && Program.openssl.isInstalled, "python3 or openssl is not installed"))
struct MutationTests {
  /// Changes one thing of one file; gives what was done, or nil where it came out the same.
  private static func mutate(_ specimen: Specimen, _ numbers: inout Numbers) throws -> (name: String, what: String)? {
    let names = specimen.files.keys.sorted()
    // The entries and their leaves make up most of any real bundle; here every file has the same chance.
    let name = names[numbers.below(names.count)]
    let sound = specimen.files[name] ?? []
    var bytes = sound
    let index = bytes.isEmpty ? 0 : numbers.below(bytes.count)
    var lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false).map { Array($0) }
    let line = numbers.below(max(1, lines.count - 1))
    let what: String
    switch numbers.below(11) {
    case 0 where !bytes.isEmpty: (what, bytes[index]) = ("bit of byte \(index)", bytes[index] ^ UInt8(1 << numbers.below(8)))
    case 1 where !bytes.isEmpty: (what, bytes[index]) = ("byte \(index)", UInt8(numbers.below(256)))
    case 2 where !bytes.isEmpty:
      what = "byte \(index) dropped"
      bytes.remove(at: index)
    case 3:
      what = "byte inserted at \(index)"
      bytes.insert(UInt8(numbers.below(256)), at: index)
    case 4:
      what = "cut at \(index)"
      bytes.removeSubrange(index...)
    case 5:
      what = "bytes appended"
      bytes.append(contentsOf: [0x0A])
    case 6 where lines.count > 2:
      what = "line \(line + 1) dropped"
      lines.remove(at: line)
      bytes = Array(lines.joined(separator: [0x0A]))
    case 7 where lines.count > 2:
      what = "line \(line + 1) doubled"
      lines.insert(lines[line], at: line)
      bytes = Array(lines.joined(separator: [0x0A]))
    case 8 where lines.count > 3:
      what = "lines swapped at \(line + 1)"
      lines.swapAt(line, (line + 1) % (lines.count - 1))
      bytes = Array(lines.joined(separator: [0x0A]))
    case 9:
      unlink("\(specimen.bundle.path)/\(name)")
      return (name, "file removed")
    default:
      let added = ["extra", "keys/extra.pem", "terms/extra.json", "proofs/extra.tlog-proof"][numbers.below(4)]
      try specimen.bundle.replace(added, sound)
      return (added, "file added")
    }
    guard bytes != sound else { return nil }
    try specimen.bundle.replace(name, bytes)
    return (name, what)
  }

  @Test("a random single mutation is rejected by audit verify and by verify.py")
  func single() throws {
    let specimen = try Specimen(authority: true)
    #expect(try specimen.disagreement(accepted: true) == nil)
    let seed: UInt64 = 0xA0D17
    var numbers = Numbers(state: seed)
    var done = 0
    while done < mutations {
      guard let mutation = try Self.mutate(specimen, &numbers) else { continue }
      done += 1
      let passed = try specimen.disagreement(accepted: false)
      #expect(passed == nil, "seed \(seed), mutation \(done), \(mutation.name): \(mutation.what): \(passed ?? "")")
      if specimen.files[mutation.name] == nil {
        unlink("\(specimen.bundle.path)/\(mutation.name)")
      } else {
        try specimen.restore(mutation.name)
      }
    }
    #expect(try specimen.disagreement(accepted: true) == nil, "the bundle is itself again")
  }

  /// Another encoding of the same meaning, and whether the format allows it.
  private struct Reencoding: Sendable {
    var name: String
    var file: String
    var isAllowed: Bool
    var apply: @Sendable (_ lines: inout [String], _ numbers: inout Numbers) -> Void
  }

  private static let reencodings: [Reencoding] = [
    Reencoding(name: "a space in an entry", file: BundlePath.entries, isAllowed: false) { lines, numbers in
      let line = numbers.below(lines.count)
      lines[line] = lines[line].replacing(",\"boot\"", with: ", \"boot\"", maxReplacements: 1)
    },
    Reencoding(name: "an entry's members in another order", file: BundlePath.entries, isAllowed: false) { lines, numbers in
      let line = numbers.below(lines.count)
      lines[line] = "{" + lines[line].dropFirst().dropLast().split(separator: ",").reversed().joined(separator: ",") + "}"
    },
    Reencoding(name: "an escape for a plain character", file: BundlePath.entries, isAllowed: false) { lines, numbers in
      let line = numbers.below(lines.count)
      lines[line] = lines[line].replacing("boot_", with: "\\u0062oot_", maxReplacements: 1)
    },
    Reencoding(name: "carriage returns in entries", file: BundlePath.entries, isAllowed: false) { lines, numbers in
      lines[numbers.below(lines.count)] += "\r"
    },
    Reencoding(name: "leaf hashes in upper case", file: BundlePath.leaves, isAllowed: false) { lines, numbers in
      let line = numbers.below(lines.count)
      lines[line] = lines[line].uppercased()
    },
    Reencoding(name: "white space in the summary", file: BundlePath.summary, isAllowed: false) { lines, _ in
      lines[0] = lines[0].replacing(":", with: ": ", maxReplacements: 1)
    },
    Reencoding(name: "another line in the consistency proof", file: BundlePath.consistency, isAllowed: false) { lines, _ in
      lines.append("")
    },
    Reencoding(name: "quotes around the fields of usage.csv", file: BundlePath.usage, isAllowed: true) { lines, numbers in
      let line = 1 + numbers.below(lines.count - 1)
      var fields = lines[line].dropLast().split(separator: ",", omittingEmptySubsequences: false).map { String($0) }
      for index in fields.indices where !fields[index].contains("\"") { fields[index] = "\"\(fields[index])\"" }
      lines[line] = fields.joined(separator: ",") + "\r"
    },
    Reencoding(name: "usage.csv without carriage returns", file: BundlePath.usage, isAllowed: true) { lines, _ in
      lines = lines.map { $0.replacing("\r", with: "") }
    },
    Reencoding(name: "rows of usage.csv in another order", file: BundlePath.usage, isAllowed: true) { lines, numbers in
      lines.swapAt(1 + numbers.below(lines.count - 1), 1 + numbers.below(lines.count - 1))
    },
    Reencoding(name: "the signatures of the checkpoint in another order", file: BundlePath.checkpoint, isAllowed: true) {
      lines, _ in
      lines.swapAt(lines.count - 1, lines.count - 2)
    },
    Reencoding(name: "the log's key in PEM on longer lines", file: BundlePath.logKeyPEM, isAllowed: false) { lines, _ in
      lines[1] = String(lines[1].prefix(20)) + "\n" + String(lines[1].dropFirst(20))
    },
    Reencoding(name: "an empty line behind the log's key", file: BundlePath.logKey, isAllowed: false) { lines, _ in
      lines.append("")
    },
  ]

  @Test("another encoding of the same meaning is judged as the format says, even where the manifest is signed again")
  func reencoded() throws {
    let specimen = try Specimen(authority: false)
    let seed: UInt64 = 0x8785
    var numbers = Numbers(state: seed)
    // A hundred where `make audit-mutations` asks for a thousand mutations.
    for round in 0..<max(Self.reencodings.count, mutations / 10) {
      let reencoding = Self.reencodings[round % Self.reencodings.count]
      let sound = String(decoding: specimen.files[reencoding.file] ?? [], as: UTF8.self)
      var lines = sound.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map { String($0) }
      reencoding.apply(&lines, &numbers)
      try specimen.bundle.replace(reencoding.file, Array((lines.joined(separator: "\n") + "\n").utf8))
      try specimen.reseal()
      let disagreement = try specimen.disagreement(accepted: reencoding.isAllowed)
      #expect(disagreement == nil, "seed \(seed), round \(round), \(reencoding.name): \(disagreement ?? "")")
      for name in [reencoding.file, BundlePath.manifest, BundlePath.signature, BundlePath.sums] { try specimen.restore(name) }
    }
  }
}
