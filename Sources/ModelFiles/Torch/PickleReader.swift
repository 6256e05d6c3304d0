/// Reads a pickle that can only make tensors: a fixed list of instructions and of names; anything else is refused by name, and
/// nothing is ever executed.
///
/// Instructions: Python's `pickletools`, as torch writes them (protocols 2 to 4). Time O(bytes); memory is bounded by the limits.
struct PickleReader {
  enum Limits {
    static let bytes = 16 << 20
    static let instructions = 1 << 20
    static let stack = 1 << 16
    static let memo = 1 << 18
    static let depth = 16
    static let textBytes = 4_096
    /// Dimensions of a tensor.
    static let dimensions = GGUFLimits.dimensions
  }

  var cursor: ByteCursor
  var stack: [PickleValue] = []
  /// Heights of the stack at which marks were set.
  private var marks: [Int] = []
  private var memo: [Int: PickleValue] = [:]
  private(set) var dictionaries: [[(key: PickleValue, value: PickleValue)]] = []
  private(set) var listCount = 0

  init(_ bytes: UnsafeRawBufferPointer, path: String) throws(ModelFileError) {
    guard bytes.count <= Limits.bytes else {
      throw ModelFileError(
        .limitExceeded, path: path, field: "data.pkl", message: "The pickle has \(bytes.count) bytes; at most 16 MiB are read.")
    }
    self.cursor = ByteCursor(bytes, path: path, limit: bytes.count)
  }

  /// The value that the pickle describes.
  mutating func read() throws(ModelFileError) -> PickleValue {
    for _ in 0..<Limits.instructions {
      let code = try self.cursor.integer(UInt8.self, "instruction")
      if code == UInt8(ascii: ".") { return try self.pop() }
      try self.step(code)
      guard self.stack.count <= Limits.stack, self.memo.count <= Limits.memo else {
        throw self.error("The pickle keeps more values than a checkpoint has.", .limitExceeded)
      }
    }
    throw self.error("The pickle has more than \(Limits.instructions) instructions.", .limitExceeded)
  }

  private mutating func step(_ code: UInt8) throws(ModelFileError) {
    switch code {
    case 0x80: try self.protocolVersion()
    case 0x95: _ = try self.cursor.take(8, "frame")
    case UInt8(ascii: "("): self.marks.append(self.stack.count)
    case UInt8(ascii: "N"): self.push(.none)
    case 0x88: self.push(.bool(true))
    case 0x89: self.push(.bool(false))
    case UInt8(ascii: "J"): self.push(.integer(Int(try self.cursor.integer(Int32.self, "integer"))))
    case UInt8(ascii: "K"): self.push(.integer(Int(try self.cursor.integer(UInt8.self, "integer"))))
    case UInt8(ascii: "M"): self.push(.integer(Int(try self.cursor.integer(UInt16.self, "integer"))))
    case 0x8A: try self.longInteger()
    case UInt8(ascii: "X"): try self.text(length: Int(try self.cursor.integer(UInt32.self, "text length")))
    case 0x8C: try self.text(length: Int(try self.cursor.integer(UInt8.self, "text length")))
    case UInt8(ascii: ")"): self.push(.tuple([], depth: 1))
    case UInt8(ascii: "t"): try self.tuple(of: try self.sinceMark())
    case 0x85, 0x86, 0x87: try self.tuple(of: try self.pop(count: Int(code) - 0x84))
    case UInt8(ascii: "]"): self.newList()
    case UInt8(ascii: "a"): _ = try self.pop()
    case UInt8(ascii: "e"): _ = try self.sinceMark()
    case UInt8(ascii: "}"): self.newDictionary()
    case UInt8(ascii: "s"): try self.setItems(try self.pop(count: 2))
    case UInt8(ascii: "u"): try self.setItems(try self.sinceMark())
    default: try self.reference(code)
    }
  }

  /// Instructions that name, remember or build.
  private mutating func reference(_ code: UInt8) throws(ModelFileError) {
    switch code {
    case UInt8(ascii: "q"): try self.remember(Int(try self.cursor.integer(UInt8.self, "memo")))
    case UInt8(ascii: "r"): try self.remember(Int(try self.cursor.integer(UInt32.self, "memo")))
    case 0x94: try self.remember(self.memo.count)
    case UInt8(ascii: "h"): try self.recall(Int(try self.cursor.integer(UInt8.self, "memo")))
    case UInt8(ascii: "j"): try self.recall(Int(try self.cursor.integer(UInt32.self, "memo")))
    case UInt8(ascii: "c"): try self.name(module: try self.line(), try self.line())
    case 0x93:
      let parts = try self.pop(count: 2)
      try self.name(module: parts[0].text ?? "", parts[1].text ?? "")
    case UInt8(ascii: "Q"): self.push(.storage(try self.storage(try self.pop())))
    case UInt8(ascii: "R"): try self.reduce()
    case UInt8(ascii: "b"):
      // The state of an ordered dictionary (versions of modules); it says nothing about weights.
      _ = try self.pop()
    default:
      let shown = code > 32 && code < 127 ? "'\(Character(Unicode.Scalar(code)))'" : "\(code)"
      throw self.error("The instruction \(shown) does not occur in a checkpoint of plain tensors; it is not carried out.")
    }
  }

  // MARK: Values

  private mutating func protocolVersion() throws(ModelFileError) {
    let version = try self.cursor.integer(UInt8.self, "protocol")
    guard (2...5).contains(version) else { throw self.error("Pickle protocol \(version) is not supported.", .unsupportedVersion) }
  }

  private mutating func longInteger() throws(ModelFileError) {
    let length = Int(try self.cursor.integer(UInt8.self, "length of an integer"))
    guard length <= 8 else { throw self.error("An integer of \(length) bytes is no size of a tensor.", .limitExceeded) }
    var value: UInt64 = 0
    let bytes = try self.cursor.take(length, "integer")
    for (index, byte) in bytes.enumerated() { value |= UInt64(byte) << (8 * UInt64(index)) }
    if length > 0, length < 8, bytes[length - 1] >= 0x80 { value |= .max << (8 * UInt64(length)) }
    self.push(.integer(Int(Int64(bitPattern: value))))
  }

  private mutating func text(length: Int) throws(ModelFileError) {
    guard length <= Limits.textBytes else {
      throw self.error("A text of \(length) bytes is no name of a tensor.", .limitExceeded)
    }
    guard let text = String(validating: try self.cursor.take(length, "text"), as: UTF8.self) else {
      throw self.error("A text is not valid UTF-8.", .invalidText)
    }
    self.push(.text(text))
  }

  private mutating func line() throws(ModelFileError) -> String {
    var bytes: [UInt8] = []
    while bytes.count <= Limits.textBytes {
      let byte = try self.cursor.integer(UInt8.self, "name")
      if byte == UInt8(ascii: "\n") { return String(decoding: bytes, as: UTF8.self) }
      bytes.append(byte)
    }
    throw self.error("A name has more than \(Limits.textBytes) bytes.", .limitExceeded)
  }

  private mutating func tuple(of elements: [PickleValue]) throws(ModelFileError) {
    let depth = 1 + (elements.map(\.depth).max() ?? 0)
    guard depth <= Limits.depth else { throw self.error("Tuples are nested deeper than \(Limits.depth).", .limitExceeded) }
    self.push(.tuple(elements, depth: depth))
  }

  private mutating func newList() {
    // Lists say nothing about weights; only their existence is kept.
    self.push(.list(self.listCount))
    self.listCount += 1
  }

  private mutating func newDictionary() {
    self.push(.dictionary(self.dictionaries.count))
    self.dictionaries.append([])
  }

  private mutating func setItems(_ items: [PickleValue]) throws(ModelFileError) {
    guard items.count.isMultiple(of: 2), case .dictionary(let index)? = self.stack.last else {
      throw self.error("Members are added to what is no dictionary.")
    }
    for place in stride(from: 0, to: items.count, by: 2) { self.dictionaries[index].append((items[place], items[place + 1])) }
  }

  private mutating func name(module: String, _ name: String) throws(ModelFileError) {
    guard let known = PickleValue.Known(rawValue: module + " " + name) else {
      throw self.error(
        "'\(module).\(name)' is no part of a checkpoint of plain tensors; it is neither looked up nor called.")
    }
    self.push(.known(known))
  }

  // MARK: Stack and memory

  private mutating func push(_ value: PickleValue) { self.stack.append(value) }

  private mutating func pop() throws(ModelFileError) -> PickleValue {
    guard self.stack.count > (self.marks.last ?? 0), let value = self.stack.popLast() else {
      throw self.error("The pickle takes a value that it did not put down.")
    }
    return value
  }

  private mutating func pop(count: Int) throws(ModelFileError) -> [PickleValue] {
    guard self.stack.count - (self.marks.last ?? 0) >= count else {
      throw self.error("The pickle takes a value that it did not put down.")
    }
    let values = Array(self.stack.suffix(count))
    self.stack.removeLast(count)
    return values
  }

  private mutating func sinceMark() throws(ModelFileError) -> [PickleValue] {
    guard let mark = self.marks.popLast() else { throw self.error("A mark is missing.") }
    let values = Array(self.stack[mark...])
    self.stack.removeSubrange(mark...)
    return values
  }

  private mutating func remember(_ index: Int) throws(ModelFileError) {
    guard let value = self.stack.last else { throw self.error("Nothing is there to remember.") }
    self.memo[index] = value
  }

  private mutating func recall(_ index: Int) throws(ModelFileError) {
    guard let value = self.memo[index] else { throw self.error("Memo \(index) was never set.") }
    self.push(value)
  }

  func error(_ message: String, _ code: ModelFileError.Code = .invalidValue) -> ModelFileError {
    self.cursor.error(code, "data.pkl", message)
  }

  private mutating func reduce() throws(ModelFileError) {
    let (arguments, function) = (try self.pop(), try self.pop())
    guard case .known(let known) = function, let elements = arguments.elements else {
      throw self.error("Something is called that is no maker of tensors.")
    }
    switch known {
    case .orderedDictionary where elements.isEmpty: self.newDictionary()
    case .tensor: self.push(.tensor(try self.tensor(elements)))
    case .parameter:
      guard case .tensor(let tensor)? = elements.first else { throw self.error("A parameter holds no tensor.") }
      self.push(.tensor(tensor))
    case .orderedDictionary, .float, .half, .bfloat16: throw self.error("'\(known.rawValue)' is not called in a checkpoint.")
    }
  }
}
