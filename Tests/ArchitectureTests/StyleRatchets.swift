import Testing

/// A sign of hurried code, and how often it may stand in `Sources`.
///
/// The ceilings go down only: a test fails where a sign stands more often than its ceiling, and also where it stands less often, so
/// that the ceiling is lowered in the same change.
struct StyleRatchet: Sendable, CustomTestStringConvertible {
  let sign: String
  /// Files in which the sign is known and allowed.
  let allowed: [Allowance]
  let find: @Sendable (SourceFile) -> [Finding]

  struct Allowance: Sendable {
    let path: String
    let count: Int
    let reason: String
  }

  init(_ sign: String, allowed: [Allowance] = [], find: @escaping @Sendable (SourceFile) -> [Finding]) {
    self.sign = sign
    self.allowed = allowed
    self.find = find
  }

  /// A sign that a line of code shows by itself.
  init(_ sign: String, allowed: [Allowance] = [], saying message: String, line matches: @escaping @Sendable (String) -> Bool) {
    self.init(sign, allowed: allowed) { file in file.findings(message) { matches(file.code[$0]) } }
  }

  var testDescription: String { self.sign }

  /// What exceeds the allowances, and allowances that are no longer used up.
  func findings(in sources: [SourceFile]) -> [Finding] {
    let byFile = Dictionary(grouping: sources.flatMap(self.find), by: \.path)
    let ceilings = Dictionary(self.allowed.map { ($0.path, $0.count) }) { first, _ in first }
    let over = byFile.filter { $0.value.count > ceilings[$0.key, default: 0] }.flatMap(\.value)
    let slack = self.allowed.filter { byFile[$0.path, default: []].count < $0.count }.map {
      Finding(
        $0.path, 0,
        "'\(self.sign)' is allowed \($0.count) times and found \(byFile[$0.path, default: []].count): lower the ceiling")
    }
    return over + slack
  }
}

extension StyleRatchet {
  /// The table. Everything is zero but for what is listed with its reason.
  static let table: [StyleRatchet] = [
    StyleRatchet("file of more than 400 lines") { file in
      file.lineCount > 400 ? [Finding(file.path, file.lineCount, "has \(file.lineCount) lines; at most 400")] : []
    },
    StyleRatchet("function of more than 70 lines") { file in
      file.functions.filter { $0.lineCount > 70 }.map {
        Finding(file.path, $0.line, "the function has \($0.lineCount) lines; at most 70")
      }
    },
    StyleRatchet("try!", saying: "traps on an error that can happen") { $0.contains("try!") },
    StyleRatchet("as!", saying: "traps on a value of another type") { $0.contains(" as!") },
    StyleRatchet("force unwrap", saying: "unwraps by force", line: unwrapsByForce),
    StyleRatchet("print outside the command") { file in
      file.target == "weighbridge" ? [] : file.findings("prints; only the command weighbridge does") { prints(file.code[$0]) }
    },
    StyleRatchet("note to self") { file in
      file.findings("leaves work for later") { index in ["FIX" + "ME", "TO" + "DO"].contains { file.lines[index].contains($0) } }
    },
    StyleRatchet("@unchecked Sendable", saying: "turns the compiler's check off") { $0.contains("@unchecked") },
    StyleRatchet("@preconcurrency", saying: "turns the compiler's check off") { $0.contains("@preconcurrency") },
    StyleRatchet("unsafe storage without its invariant") { file in
      file.findings("lacks the invariant, on this line or one beside it") { index in
        file.code[index].contains("nonisolated(unsafe)") && !file.hasComment(at: index)
      }
    },
    StyleRatchet("swallowed error without its reason") { file in
      file.findings("drops an error without saying why, on this line or one beside it") { index in
        file.code[index].utf8.contains(UInt8(ascii: "?")) && file.code[index].firstMatch(of: /\btry\?/) != nil
          && !file.hasComment(at: index)
      }
    },
    StyleRatchet("type without a noun", saying: "is named for no subject; find the noun") { line in
      line.utf8.contains(UInt8(ascii: "{"))
        && line.firstMatch(of: /\b(?:class|struct|enum|actor|protocol)\s+\w*(?:Manager|Helpers?|Utils?)\b/) != nil
    },
  ]
}

/// Whether a `!` follows an expression or a type, and does not begin `!=`.
func unwrapsByForce(_ line: String) -> Bool {
  guard line.utf8.contains(UInt8(ascii: "!")) else { return false }
  return line.replacing(/\b(?:try|as)!/, with: "").firstMatch(of: /[\w)\]?"}]!(?!=)/) != nil
}

/// Whether the line calls the free function `print` or `debugPrint`.
func prints(_ line: String) -> Bool {
  guard line.contains("rint(") else { return false }
  return line.replacing(/\bfunc\s+print\(/, with: "").firstMatch(of: /(?:^|[^.\w])(?:debugPrint|print)\(/) != nil
}

extension SourceFile {
  /// A finding for each line of Swift, by index, for which `matches` holds.
  func findings(_ message: String, where matches: (Int) -> Bool) -> [Finding] {
    guard self.language == .swift else { return [] }
    return self.code.indices.filter(matches).map { Finding(self.path, $0 + 1, message) }
  }

  /// Whether a comment stands on the line or on one beside it.
  func hasComment(at index: Int) -> Bool {
    (index - 1...index + 1).contains {
      self.lines.indices.contains($0) && self.lines[$0].contains("//") && !self.code[$0].contains("//")
    }
  }
}
