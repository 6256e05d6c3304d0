/// A chat format's control tags, which no message text may contain.
struct ControlTags: Sendable {
  /// Each at least one byte long.
  private let tags: [[UInt8]]
  /// The tags' last bytes, so that most bytes of a text are settled by one look.
  private let lastBytes: Set<UInt8>

  init(_ tags: [String]) {
    self.tags = tags.map { Array($0.utf8) }
    self.lastBytes = Set(self.tags.compactMap(\.last))
  }

  /// The text without any tag, nor any that removing one would make: `[IN[INST]ST]` leaves nothing.
  ///
  /// What has been kept never contains a tag, since a tag is taken away as soon as its last byte arrives; so one pass is
  /// enough, in O(n) times the number of tags.
  func removed(from text: String) -> String {
    var kept: [UInt8] = []
    kept.reserveCapacity(text.utf8.count)
    for byte in text.utf8 {
      kept.append(byte)
      guard self.lastBytes.contains(byte) else { continue }
      if let tag = self.tags.first(where: { kept.suffix($0.count).elementsEqual($0) }) { kept.removeLast(tag.count) }
    }
    return String(decoding: kept, as: UTF8.self)
  }
}
