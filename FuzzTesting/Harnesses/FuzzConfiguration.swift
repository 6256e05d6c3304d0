internal import LlamaModel
internal import ModelFiles

/// One fuzzing step: reads the bytes as `config.json` and as `params.json` of a model's folder.
@discardableResult
func fuzzConfiguration(_ bytes: [UInt8]) -> Bool {
  let isHuggingFace = isRead { () throws(ModelFileError) in _ = try HuggingFaceShape(try ConfigurationFile(bytes, path: "fuzz")) }
  let isMeta = isRead { () throws(ModelFileError) in _ = try MetaShape(try ConfigurationFile(bytes, path: "fuzz")) }
  return isHuggingFace || isMeta
}

private func isRead(_ read: () throws(ModelFileError) -> Void) -> Bool {
  do throws(ModelFileError) {
    try read()
    return true
  } catch {
    precondition(!error.message.isEmpty && error.path == "fuzz")
    return false
  }
}
