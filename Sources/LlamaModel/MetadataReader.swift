internal import ModelFiles

/// Reads `llama.*` keys with their bounds; every refusal names the key.
struct MetadataReader {
  let metadata: GGUFMetadata
  let path: String

  /// An integer inside `bounds`; `absent` stands for a key that is not there.
  func integer(_ key: String, _ bounds: ClosedRange<Int>, ifAbsent absent: Int? = nil) throws(LlamaModelError) -> Int {
    let stored: UInt64
    do {
      stored = try self.metadata.requireUnsigned(key, ifAbsent: absent.map(UInt64.init))
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
      value = try self.metadata.requireFloat(key, ifAbsent: absent)
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
      return try self.metadata.requireString(key, ifAbsent: absent)
    } catch {
      throw LlamaModelError(error)
    }
  }

  func flag(_ key: String, ifAbsent absent: Bool) throws(LlamaModelError) -> Bool {
    do {
      return try self.metadata.requireBool(key, ifAbsent: absent)
    } catch {
      throw LlamaModelError(error)
    }
  }

  func invalid(_ key: String, _ message: String) -> LlamaModelError {
    LlamaModelError(.invalidHyperparameter, path: self.path, field: key, message)
  }

  func unsupported(_ key: String, _ message: String) -> LlamaModelError {
    LlamaModelError(.unsupportedFeature, path: self.path, field: key, message)
  }
}
