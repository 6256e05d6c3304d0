internal import Documents
package import ModelFiles

/// A small JSON object beside the weights, read key by key within bounds; keys that do not concern the model are left alone.
package struct ConfigurationFile {
  private static let byteLimit = 4 << 20

  package let path: String
  let document: Document
  private let prefix: String

  init(path: String) throws(ModelFileError) {
    let file = try MappedFile(path: path)
    guard file.byteCount <= Self.byteLimit else {
      throw ModelFileError(.limitExceeded, path: path, message: "The file has \(file.byteCount) bytes; 4 MiB are read at most.")
    }
    try self.init(Array(file.bytes), path: path)
  }

  /// - Parameter path: Only named in errors.
  package init(_ bytes: [UInt8], path: String) throws(ModelFileError) {
    do {
      self.document = try Document.parseJSON(
        bytes, limits: JSONLimits(bytes: Self.byteLimit, depth: 16, nodes: 1 << 16))
    } catch {
      throw ModelFileError(.wrongFormat, path: path, message: "JSON: \(error)")
    }
    guard case .map = self.document.content else {
      throw ModelFileError(.wrongFormat, path: path, message: "The file is not a JSON object.")
    }
    self.path = path
    self.prefix = ""
  }

  private init(path: String, document: Document, prefix: String) {
    self.path = path
    self.document = document
    self.prefix = prefix
  }

  /// The name of the folder in which the file lies.
  var folderName: String { self.path.split(separator: "/").dropLast().last.map { String($0) } ?? "model" }

  func error(_ code: ModelFileError.Code, _ key: String, _ message: String) -> ModelFileError {
    ModelFileError(code, path: self.path, field: self.prefix + key, message: message)
  }

  /// The value of a key, `nil` where it is absent or null.
  private func value(_ key: String) -> Document? {
    guard let value = self.document[key] else { return nil }
    if case .null = value.content { return nil }
    return value
  }

  func object(_ key: String) throws(ModelFileError) -> ConfigurationFile? {
    guard let value = self.value(key) else { return nil }
    guard case .map = value.content else { throw self.error(.wrongType, key, "An object belongs here, not \(value.kind).") }
    return ConfigurationFile(path: self.path, document: value, prefix: self.prefix + key + ".")
  }

  func string(_ key: String, ifAbsent absent: String? = nil) throws(ModelFileError) -> String {
    guard let value = self.value(key) ?? absent.map({ Document(.string($0), position: .start) }) else { throw self.missing(key) }
    guard case .string(let text) = value.content else {
      throw self.error(.wrongType, key, "A string belongs here, not \(value.kind).")
    }
    return text
  }

  func optionalInteger(_ key: String, _ bounds: ClosedRange<Int>) throws(ModelFileError) -> Int? {
    guard let value = self.value(key) else { return nil }
    guard case .number(let digits) = value.content, let number = Int(digits) else {
      throw self.error(.wrongType, key, "A whole number belongs here, not \(value.kind).")
    }
    guard bounds.contains(number) else {
      throw self.error(.invalidValue, key, "\(number) is outside \(bounds.lowerBound)...\(bounds.upperBound).")
    }
    return number
  }

  func integer(_ key: String, _ bounds: ClosedRange<Int>, ifAbsent absent: Int? = nil) throws(ModelFileError) -> Int {
    guard let number = try self.optionalInteger(key, bounds) ?? absent else { throw self.missing(key) }
    return number
  }

  /// A finite number.
  func number(_ key: String, ifAbsent absent: Double? = nil) throws(ModelFileError) -> Double {
    guard let value = self.value(key) else {
      if let absent { return absent }
      throw self.missing(key)
    }
    guard case .number(let digits) = value.content, let number = Double(digits), number.isFinite else {
      throw self.error(.wrongType, key, "A finite number belongs here, not \(value.kind).")
    }
    return number
  }

  func flag(_ key: String, ifAbsent absent: Bool) throws(ModelFileError) -> Bool {
    guard let value = self.value(key) else { return absent }
    guard case .bool(let flag) = value.content else {
      throw self.error(.wrongType, key, "true or false belongs here, not \(value.kind).")
    }
    return flag
  }

  /// A token id or a list of them; empty where the key is absent.
  func tokens(_ key: String) throws(ModelFileError) -> [Int] {
    guard let value = self.value(key) else { return [] }
    let elements = if case .list(let elements) = value.content { elements } else { [value] }
    var tokens: [Int] = []
    for element in elements {
      guard case .number(let digits) = element.content, let id = Int(digits), (0...1 << 20).contains(id) else {
        throw self.error(.wrongType, key, "A token id or a list of them belongs here.")
      }
      tokens.append(id)
    }
    return tokens
  }

  /// The whole object as names with whole numbers.
  func integers(_ bounds: ClosedRange<Int>) throws(ModelFileError) -> [String: Int] {
    guard case .map(let members) = self.document.content else { return [:] }
    var result: [String: Int] = [:]
    for member in members { result[member.key] = try self.integer(member.key, bounds) }
    return result
  }

  private func missing(_ key: String) -> ModelFileError {
    self.error(.missingKey, key, "The key is missing; download the file again.")
  }
}
