internal import Foundation
internal import Synchronization

/// A clock that a test can put forward under a running process: a library that is loaded before all others adds to what the system's
/// wall clock says. Time that only measures spans goes on as it is.
final class ShiftedClock: Sendable {
  /// The variables that give a process this clock.
  let environment: [String: String]
  private let path: String
  private let ahead = Mutex<Int64>(0)

  /// Compiles the library into the workplace.
  init(in workplace: Workplace) async throws {
    let source = try workplace.write(Self.source, to: "shifted-clock.c")
    let library = workplace.file("shifted-clock.so")
    self.path = try workplace.write([UInt8](repeating: 0, count: 8), to: "clock")
    let compiled = try await run(
      "/usr/bin/env", ["clang", "-O1", "-shared", "-fPIC", "-o", library, source], in: workplace)
    guard compiled.status == 0 else { throw Failure("the clock cannot be compiled: \(compiled.said)") }
    self.environment = ["LD_PRELOAD": library, "SHIFTED_CLOCK": self.path]
  }

  /// Seconds since 1970, as the process sees them.
  var now: Int { Int(Date().timeIntervalSince1970) + Int(self.ahead.withLock { $0 }) }

  func advance(seconds: Int) throws {
    let ahead = self.ahead.withLock { ahead in
      ahead += Int64(seconds)
      return ahead
    }
    let file = try FileHandle(forWritingTo: URL(fileURLWithPath: self.path))
    defer { file.closeFile() }
    try file.write(contentsOf: withUnsafeBytes(of: ahead) { Data($0) })
  }

  /// To some seconds after the end of the running minute, or day.
  func advance(past span: Int, seconds: Int) throws { try self.advance(seconds: span - self.now % span + seconds) }

  private static let source = """
    #define _GNU_SOURCE
    #include <fcntl.h>
    #include <stdint.h>
    #include <stdlib.h>
    #include <sys/mman.h>
    #include <sys/syscall.h>
    #include <time.h>
    #include <unistd.h>
    static volatile const int64_t *ahead;
    __attribute__((constructor)) static void begin(void) {
      const char *path = getenv("SHIFTED_CLOCK");
      int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
      if (file < 0) return;
      void *page = mmap(0, 8, PROT_READ, MAP_SHARED, file, 0);
      if (page != MAP_FAILED) ahead = page;
      close(file);
    }
    int clock_gettime(clockid_t clock, struct timespec *time) {
      int result = (int)syscall(SYS_clock_gettime, clock, time);
      if (result == 0 && clock == CLOCK_REALTIME && ahead) time->tv_sec += *ahead;
      return result;
    }

    """
}
