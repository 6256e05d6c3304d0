extension VocabularySource {
  /// The largest rank file that is read, the longest token in it, and how many pairs a token may be made of on average; Llama 3's file has
  /// 2.2 MB, 128 bytes and 2.2 pairs.
  private static let rankFileLimits = (bytes: 16 << 20, tokens: 1 << 20, token: 256, pairs: 8)

  /// Which control tokens follow the ranks: the file itself has none.
  public enum RankedGeneration: Sendable {
    case llama3
    /// Llama 3.1 and later.
    case llama3_1

    /// Named differently from the reserved ones, by place.
    private var named: [Int: String] {
      var names = [
        0: "<|begin_of_text|>", 1: "<|end_of_text|>", 6: "<|start_header_id|>", 7: "<|end_header_id|>", 9: "<|eot_id|>",
      ]
      if self == .llama3_1 {
        names[4] = "<|finetune_right_pad_id|>"
        names[8] = "<|eom_id|>"
        names[10] = "<|python_tag|>"
      }
      return names
    }

    /// 256 of them; the others are reserved and numbered.
    var markers: [String] {
      var (markers, number) = ([String](), 0)
      for place in 0..<256 {
        if let name = self.named[place] {
          markers.append(name)
        } else {
          markers.append("<|reserved_special_token_\(number)|>")
          number += 1
        }
      }
      return markers
    }
  }

  /// Whether a `tokenizer.model` is a list of ranks: a SentencePiece model begins with the tag of its first field, which is no base64.
  public static func isRankFile(_ bytes: [UInt8]) -> Bool { bytes.first.map { Base64.value($0) != nil } ?? false }

  /// Reads the `tokenizer.model` of Llama 3 as Meta publishes it: a line for each token with its bytes in base64, a space and its rank, which
  /// is its id. Control tokens of the generation follow. Neighbours merge where what they form is a token, the lowest rank first. O(bytes
  /// times the length of a token).
  ///
  /// Reference: `llama3/tokenizer.py` and `tiktoken`'s `load.py` and `_educational.py`.
  ///
  /// - Throws: ``TokenizerError`` naming the line at fault.
  public init(rankFile bytes: [UInt8], generation: RankedGeneration) throws(TokenizerError) {
    guard bytes.count <= Self.rankFileLimits.bytes else {
      throw TokenizerError(
        field: "file", message: "The file has \(bytes.count) bytes; at most \(Self.rankFileLimits.bytes) are read.")
    }
    let tokens = try Self.rankedTokens(bytes)
    let markers = generation.markers
    let merging = PairMerging(
      merges: try Self.merges(of: tokens), preTokenizer: .llama3, prefersWholeWords: true, ranksByResult: true)
    let first = Int32(tokens.count)
    self.init(
      pieces: tokens.map { ByteAlphabet.encode($0) } + markers,
      types: [Int32](repeating: 1, count: tokens.count) + [Int32](repeating: 3, count: markers.count),
      merging: .pairs(merging), bos: first, eos: first + 1, unknown: nil, addsBOS: true, addsSpacePrefix: false)
  }

  private static func rankedTokens(_ bytes: [UInt8]) throws(TokenizerError) -> [[UInt8]] {
    var tokens: [[UInt8]] = []
    var known: Set<[UInt8]> = []
    var (start, line) = (0, 0)
    while start < bytes.count {
      let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
      line += 1
      let token = try Self.rankedToken(bytes[start..<end], line: line, rank: tokens.count)
      guard known.insert(token).inserted else {
        throw TokenizerError(field: "line \(line)", message: "The token stands in an earlier line too; the file is damaged.")
      }
      guard tokens.count < Self.rankFileLimits.tokens else {
        throw TokenizerError(field: "line \(line)", message: "There are more than \(Self.rankFileLimits.tokens) tokens.")
      }
      tokens.append(token)
      start = end + 1
    }
    guard !tokens.isEmpty else { throw TokenizerError(field: "line 1", message: "The file holds no token.") }
    return tokens
  }

  private static func rankedToken(_ text: ArraySlice<UInt8>, line: Int, rank: Int) throws(TokenizerError) -> [UInt8] {
    let text = text.last == UInt8(ascii: "\r") ? text.dropLast() : text
    let parts = text.split(separator: 0x20, omittingEmptySubsequences: false)
    guard parts.count == 2, let token = Base64.decode(parts[0]), !token.isEmpty else {
      throw TokenizerError(
        field: "line \(line)", message: "A token in base64, a space and its rank belong here; the file is damaged.")
    }
    guard token.count <= Self.rankFileLimits.token else {
      throw TokenizerError(
        field: "line \(line)", message: "The token has \(token.count) bytes, more than \(Self.rankFileLimits.token).")
    }
    guard parts[1].elementsEqual(String(rank).utf8) else {
      throw TokenizerError(
        field: "line \(line)",
        message: "The rank must be \(rank), as ranks rise by one from line to line; the file is damaged.")
    }
    return token
  }

  /// All pairs of tokens that form a token, by the token and then by their own ids.
  private static func merges(of tokens: [[UInt8]]) throws(TokenizerError) -> [PairMerging.Merge] {
    var table = PieceTable(capacity: tokens.count)
    for (id, token) in tokens.enumerated() { table.insert(token, id: Int32(id)) }
    let texts = tokens.map { ByteAlphabet.encode($0) }
    var merges: [PairMerging.Merge] = []
    for (id, token) in tokens.enumerated() {
      var pairs: [(left: Int32, right: Int32)] = []
      for cut in stride(from: 1, to: token.count, by: 1) {
        guard let left = table.id(of: token, 0, cut), let right = table.id(of: token, cut, token.count - cut) else { continue }
        pairs.append((left, right))
      }
      pairs.sort { $0 < $1 }
      merges += pairs.map { PairMerging.Merge(texts[Int($0.left)], texts[Int($0.right)]) }
      guard merges.count <= Self.rankFileLimits.pairs * tokens.count else {
        throw TokenizerError(
          field: "line \(id + 1)",
          message: "More than \(Self.rankFileLimits.pairs) pairs a token form tokens up to here; this is no vocabulary of words.")
      }
    }
    return merges
  }
}

/// Base64 with padding, as RFC 4648 has it in section 4.
enum Base64 {
  static func value(_ digit: UInt8) -> UInt32? {
    switch digit {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(digit - UInt8(ascii: "A"))
    case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(digit - UInt8(ascii: "a")) + 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(digit - UInt8(ascii: "0")) + 52
    case UInt8(ascii: "+"): 62
    case UInt8(ascii: "/"): 63
    default: nil
    }
  }

  /// `nil` where it is none, or where its last digit has bits that stand for nothing.
  static func decode(_ text: ArraySlice<UInt8>) -> [UInt8]? {
    guard text.count.isMultiple(of: 4) else { return nil }
    let digits = text.dropLast(text.suffix(2).count { $0 == UInt8(ascii: "=") })
    var bytes: [UInt8] = []
    var (bits, count) = (UInt32(0), 0)
    for digit in digits {
      guard let value = Self.value(digit) else { return nil }
      bits = bits << 6 | value
      count += 6
      guard count >= 8 else { continue }
      count -= 8
      bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
      bits &= 1 << UInt32(count) - 1
    }
    return bits == 0 && count < 6 ? bytes : nil
  }
}
