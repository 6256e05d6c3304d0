internal import COpenSSL

/// Owns one object of the library and frees it exactly once.
final class Owned {
  let pointer: OpaquePointer
  private let free: (OpaquePointer) -> Void

  /// - Throws: ``OpenSSLError`` with the library's reason where `pointer` is nil.
  init(
    _ pointer: OpaquePointer?, _ operation: @autoclosure () -> String, free: @escaping (OpaquePointer) -> Void
  )
    throws(OpenSSLError)
  {
    guard let pointer else { throw OpenSSLError(operation()) }
    self.pointer = pointer
    self.free = free
  }

  deinit { self.free(self.pointer) }
}

/// Throws the library's reason unless a call returned 1, which most of its functions do on success.
func check(_ result: Int32, _ operation: @autoclosure () -> String) throws(OpenSSLError) {
  guard result == 1 else { throw OpenSSLError(operation()) }
}

/// An empty memory buffer of the library.
func memoryBuffer() throws(OpenSSLError) -> Owned { try Owned(BIO_new(BIO_s_mem()), "making a buffer") { BIO_free($0) } }

/// A memory buffer of the library with a copy of `bytes`.
func memoryBuffer(_ bytes: [UInt8]) throws(OpenSSLError) -> Owned {
  let buffer = try memoryBuffer()
  guard let count = Int32(exactly: bytes.count) else { throw OpenSSLError("reading \(bytes.count) bytes at once") }
  if count > 0 {
    // BIO_write copies `count` bytes and keeps no pointer.
    guard BIO_write(buffer.pointer, bytes, count) == count else { throw OpenSSLError("filling a buffer") }
  }
  // At its end the buffer is to report the end, not a wait for more.
  BIO_ctrl(buffer.pointer, BIO_C_SET_BUF_MEM_EOF_RETURN, 0, nil)
  return buffer
}

/// All that a memory buffer holds.
func contents(_ buffer: Owned) -> [UInt8] {
  var bytes: [UInt8] = []
  var chunk = [UInt8](repeating: 0, count: 4096)
  while true {
    // BIO_read writes at most the number of bytes it is given.
    let count = BIO_read(buffer.pointer, &chunk, Int32(chunk.count))
    guard count > 0 else { return bytes }
    bytes.append(contentsOf: chunk.prefix(Int(count)))
  }
}

/// The one line PEM text or the private key text that `write` puts into a buffer.
func written(_ operation: String, _ write: (OpaquePointer) -> Int32) throws(OpenSSLError) -> [UInt8] {
  let buffer = try memoryBuffer()
  try check(write(buffer.pointer), operation)
  return contents(buffer)
}
