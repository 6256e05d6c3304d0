internal import ModelFiles

/// Reads keys with their bounds, those of one architecture where it is scoped to it; every refusal names the key in full.
struct MetadataReader {
  let metadata: GGUFMetadata
  let path: String
  private var prefix = ""

  init(metadata: GGUFMetadata, path: String) {
    self.metadata = metadata
    self.path = path
  }

  func scoped(to architecture: String) -> MetadataReader {
    var reader = self
    reader.prefix = architecture + "."
    return reader
  }

  func has(_ key: String) -> Bool { self.metadata[self.prefix + key] != nil }

  /// An integer inside `bounds`; `absent` stands for a key that is not there.
  func integer(_ key: String, _ bounds: ClosedRange<Int>, ifAbsent absent: Int? = nil) throws(LlamaModelError) -> Int {
    let stored: UInt64
    do {
      stored = try self.metadata.requireUnsigned(self.prefix + key, ifAbsent: absent.map(UInt64.init))
    } catch {
      throw LlamaModelError(error)
    }
    guard let value = Int(exactly: stored), bounds.contains(value) else {
      throw self.invalid(key, "\(stored) is outside \(bounds.lowerBound)...\(bounds.upperBound).")
    }
    return value
  }

  /// A finite number inside `bounds`.
  func number(_ key: String, _ bounds: ClosedRange<Double>, ifAbsent absent: Double? = nil) throws(LlamaModelError) -> Double {
    let value: Double
    do {
      value = try self.metadata.requireFloat(self.prefix + key, ifAbsent: absent)
    } catch {
      throw LlamaModelError(error)
    }
    guard value.isFinite, bounds.contains(value) else {
      throw self.invalid(key, "\(value) is outside \(bounds.lowerBound)...\(bounds.upperBound).")
    }
    return value
  }

  func string(_ key: String, ifAbsent absent: String? = nil) throws(LlamaModelError) -> String {
    do {
      return try self.metadata.requireString(self.prefix + key, ifAbsent: absent)
    } catch {
      throw LlamaModelError(error)
    }
  }

  func flag(_ key: String, ifAbsent absent: Bool) throws(LlamaModelError) -> Bool {
    do {
      return try self.metadata.requireBool(self.prefix + key, ifAbsent: absent)
    } catch {
      throw LlamaModelError(error)
    }
  }

  func invalid(_ key: String, _ message: String) -> LlamaModelError {
    LlamaModelError(.invalidHyperparameter, path: self.path, field: self.prefix + key, message)
  }

  func unsupported(_ key: String, _ message: String) -> LlamaModelError {
    LlamaModelError(.unsupportedFeature, path: self.path, field: self.prefix + key, message)
  }
}
