internal import ModelFiles

/// One fuzzing step: parses the bytes as a safetensors file and touches every byte that it promises; see ``fuzzGGUF(_:)``.
@discardableResult
public func fuzzSafetensors(_ bytes: [UInt8]) -> Bool {
  do throws(ModelFileError) {
    let file = try SafetensorsFile(file: MappedFile(bytes: bytes, name: "fuzz"))
    touch(file.tensors, of: file.file)
    return true
  } catch {
    precondition(!error.message.isEmpty && error.path == "fuzz")
    return false
  }
}

/// Reads every byte of every tensor.
func touch(_ tensors: [TensorInfo], of file: MappedFile) {
  var sum: UInt8 = 0
  for tensor in tensors {
    precondition(tensor.rows * tensor.columns / tensor.type.blockElements * tensor.type.blockBytes == tensor.byteCount)
    for byte in file.bytes[tensor.byteOffset..<tensor.byteOffset + tensor.byteCount] { sum &+= byte }
  }
}
