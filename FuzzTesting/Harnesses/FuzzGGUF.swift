internal import ModelFiles

/// One fuzzing step: parses the bytes as a GGUF file and, where they are accepted, touches everything the result
/// promises. Returns normally for every input; a trap is the finding. Shaped for libFuzzer's `LLVMFuzzerTestOneInput`.
///
/// - Returns: whether the bytes were accepted.
@discardableResult
public func fuzzGGUF(_ bytes: [UInt8]) -> Bool {
  do throws(ModelFileError) {
    let file = try GGUFFile(bytes: bytes, name: "fuzz")
    var sum: UInt8 = 0
    for tensor in file.tensors {
      let data = file.bytes(of: tensor)
      precondition(data.count == tensor.byteCount && tensor.rows * tensor.columns >= 1)
      precondition(file.tensor(named: tensor.name) == tensor)
      for byte in data { sum &+= byte }
    }
    for key in file.metadata.keys { precondition(file.metadata[key] != nil) }
    return true
  } catch {
    precondition(!error.message.isEmpty && error.path == "fuzz")
    return false
  }
}
