import Glibc

/// Programs of the machine that stand in as independent judges.
enum Program: String {
  case openssl, python3

  /// Whether it can be started.
  var isInstalled: Bool { (try? run(self.rawValue, [self == .openssl ? "version" : "--version"]))?.status == 0 }
}

struct ProgramError: Error { let message: String }

/// Runs a program by its name and gives its exit status and all that it wrote.
func run(_ name: String, _ arguments: [String]) throws -> (status: Int32, output: String) {
  let output = try TemporaryDirectory()
  let path = "\(output.path)/output"
  var actions = posix_spawn_file_actions_t()
  posix_spawn_file_actions_init(&actions)
  defer { posix_spawn_file_actions_destroy(&actions) }
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
  posix_spawn_file_actions_addopen(&actions, 1, path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
  posix_spawn_file_actions_adddup2(&actions, 1, 2)
  var words: [UnsafeMutablePointer<CChar>?] = ([name] + arguments).map { strdup($0) } + [nil]
  defer { words.forEach { free($0) } }
  var process: pid_t = 0
  let started = posix_spawnp(&process, name, &actions, nil, &words, environ)
  guard started == 0 else { throw ProgramError(message: "\(name) cannot be started") }
  var status: Int32 = 0
  while waitpid(process, &status, 0) < 0 { guard errno == EINTR else { throw ProgramError(message: "waitpid") } }
  let code = status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + (status & 0x7F)
  return (code, String(decoding: try readFile(path), as: UTF8.self))
}

/// A directory that is removed with its files when the value goes.
final class TemporaryDirectory {
  let path: String

  init() throws {
    var template = Array("/tmp/weighbridge-tests-XXXXXX".utf8CString)
    guard let made = mkdtemp(&template) else {
      throw ProgramError(message: "no temporary directory")
    }
    self.path = String(cString: made)
  }

  deinit { removeTree(self.path) }
}

private func removeTree(_ path: String) {
  // Neither a file nor a link can be opened this way.
  let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
  if descriptor >= 0, let directory = fdopendir(descriptor) {
    while let entry = readdir(directory) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
      if name != ".", name != ".." { removeTree("\(path)/\(name)") }
    }
    closedir(directory)
  }
  remove(path)
}

func readFile(_ path: String) throws -> [UInt8] {
  let file = open(path, O_RDONLY)
  guard file >= 0 else { throw ProgramError(message: "\(path) cannot be opened") }
  defer { close(file) }
  var bytes: [UInt8] = []
  var piece = [UInt8](repeating: 0, count: 1 << 16)
  while true {
    let count = read(file, &piece, piece.count)
    guard count > 0 else { return bytes }
    bytes.append(contentsOf: piece.prefix(count))
  }
}

func writeFile(_ path: String, _ bytes: [UInt8]) throws {
  let file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
  guard file >= 0 else { throw ProgramError(message: "\(path) cannot be written") }
  defer { close(file) }
  var rest = bytes[...]
  while !rest.isEmpty {
    let count = Array(rest).withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
    guard count > 0 else { throw ProgramError(message: "\(path) cannot be written") }
    rest = rest.dropFirst(count)
  }
}
