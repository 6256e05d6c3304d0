internal import ModelFiles

/// One fuzzing step: parses the bytes as a checkpoint of torch, zip and pickle; see ``fuzzGGUF(_:)``.
@discardableResult
public func fuzzCheckpoint(_ bytes: [UInt8]) -> Bool {
  do throws(ModelFileError) {
    let checkpoint = try TorchCheckpoint(file: MappedFile(bytes: bytes, name: "fuzz"))
    touch(checkpoint.tensors, of: checkpoint.file)
    return true
  } catch {
    precondition(!error.message.isEmpty && error.path == "fuzz")
    return false
  }
}

/// One fuzzing step: the bytes are the pickle of an otherwise sound checkpoint, so that the zip does not stand in the way.
@discardableResult
public func fuzzPickle(_ bytes: [UInt8]) -> Bool {
  fuzzCheckpoint(
    StoredZip.bytes([
      ("model/data.pkl", bytes), ("model/byteorder", Array("little".utf8)),
      ("model/data/0", [UInt8](repeating: 1, count: 256)), ("model/data/1", [UInt8](repeating: 2, count: 64)),
    ]))
}

/// Writes zip archives with stored entries.
public enum StoredZip {
  public static func bytes(_ entries: [(name: String, data: [UInt8])]) -> [UInt8] {
    var (out, directory): ([UInt8], [UInt8]) = ([], [])
    for (name, data) in entries {
      let header = out.count
      let sizes = self.little(UInt32(data.count)) + self.little(UInt32(data.count))
      let lengths = self.little(UInt16(name.utf8.count)) + self.little(UInt16(0))
      let common = self.little(UInt16(20)) + [UInt8](repeating: 0, count: 12) + sizes + lengths
      out += self.little(UInt32(0x0403_4B50)) + common + name.utf8 + data
      directory += self.little(UInt32(0x0201_4B50)) + self.little(UInt16(20)) + common + [UInt8](repeating: 0, count: 10)
      directory += self.little(UInt32(header)) + name.utf8
    }
    let count = self.little(UInt16(entries.count))
    let end = self.little(UInt32(0x0605_4B50)) + [0, 0, 0, 0] + count + count
    return out + directory + end + self.little(UInt32(directory.count)) + self.little(UInt32(out.count)) + [0, 0]
  }

  static func little(_ value: some FixedWidthInteger) -> [UInt8] { withUnsafeBytes(of: value.littleEndian) { Array($0) } }
}
