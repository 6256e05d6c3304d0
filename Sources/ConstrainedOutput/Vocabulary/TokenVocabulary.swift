/// What each token of a vocabulary writes, arranged for asking which of them fit.
///
/// Tokens that are plain text inside a JSON string (whole characters, nothing to escape) are told apart from the others: inside a
/// string all of them fit, up to its length, without a look at any one.
public struct TokenVocabulary: Sendable {
  /// Longer plain tokens are not offered where a string's end is nearer than they are long; others spell the same.
  static let countedCharacters = 32

  public let count: Int
  let plain: TokenTrie
  let other: TokenTrie
  /// By number of characters up to ``countedCharacters``: the plain tokens of at most so many; then all of them.
  let plainMasks: [[UInt64]]
  /// The tokens that end a text.
  let ends: [Int32]
  private let bytes: [UInt8]
  private let starts: [Int32]

  /// - Parameters:
  ///   - surfaces: by token id, its bytes in running text; empty for control tokens, which then never fit.
  ///   - ends: the tokens that end a text.
  /// - Complexity: O(n log n) in the bytes of all tokens; some tens of milliseconds for a vocabulary of 128,000.
  public init(surfaces: [[UInt8]], ends: [Int32]) {
    self.count = surfaces.count
    self.ends = ends.filter { surfaces.indices.contains(Int($0)) }
    let endSet = Set(ends)
    var (plain, other): ([(bytes: [UInt8], token: Int32)], [(bytes: [UInt8], token: Int32)]) = ([], [])
    let words = (surfaces.count + 63) / 64
    var masks = [[UInt64]](repeating: [UInt64](repeating: 0, count: words), count: Self.countedCharacters + 2)
    var (bytes, starts): ([UInt8], [Int32]) = ([], [0])
    for (index, surface) in surfaces.enumerated() {
      bytes += surface
      starts.append(Int32(bytes.count))
      let token = Int32(index)
      guard !surface.isEmpty, !endSet.contains(token) else { continue }
      if let characters = Self.plainCharacters(surface) {
        plain.append((surface, token))
        masks[min(characters, Self.countedCharacters + 1)][index / 64] |= 1 << UInt64(index % 64)
      } else {
        other.append((surface, token))
      }
    }
    for length in masks.indices.dropFirst() {
      for word in 0..<words { masks[length][word] |= masks[length - 1][word] }
    }
    self.plain = TokenTrie(plain)
    self.other = TokenTrie(other)
    self.plainMasks = masks
    (self.bytes, self.starts) = (bytes, starts)
  }

  func surface(_ token: Int32) -> ArraySlice<UInt8> {
    guard token >= 0, Int(token) < self.count else { return [] }
    return self.bytes[Int(self.starts[Int(token)])..<Int(self.starts[Int(token) + 1])]
  }

  /// How many characters a token adds to a string; nil where it is not plain text.
  private static func plainCharacters(_ surface: [UInt8]) -> Int? {
    guard !surface.contains(where: { $0 < 0x20 || $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") }) else { return nil }
    return String(validating: surface, as: UTF8.self)?.unicodeScalars.count
  }
}
