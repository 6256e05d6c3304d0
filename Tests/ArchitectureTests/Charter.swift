/// The three lines with which a target's main file begins: what it is for, what it holds, what it must never know.
enum Charter {
  /// Targets without exactly one charter, and charters that are not whole.
  static func findings(in sources: [SourceFile], rooms: [Room]) -> [Finding] {
    rooms.filter { $0.kind != .systemLibrary }.flatMap { room -> [Finding] in
      let files = sources.filter { $0.target == room.name && $0.language != .other }
      guard !files.isEmpty else { return [] }
      let mains = files.filter { $0.lines.first?.hasPrefix("// \(room.name): ") ?? false }
      guard let main = mains.first, mains.count == 1 else {
        let place = mains.isEmpty ? "no file" : mains.map(\.path).joined(separator: " and ")
        return [Finding("Sources/\(room.name)", 0, "\(place) begins with its charter, '// \(room.name): …'; exactly one does")]
      }
      return Self.defects(of: main.lines).map { Finding(main.path, $0.line, $0.message) }
    }
  }

  private static func defects(of lines: [String]) -> [(line: Int, message: String)] {
    let comments = lines.prefix { $0.hasPrefix("// ") && !$0.hasPrefix("// swift") }
    guard comments.count == 3 else { return [(1, "the charter has \(comments.count) lines instead of three")] }
    return lines[2].hasPrefix("// It must never ") ? [] : [(3, "the charter's third line says what 'It must never …'")]
  }
}
