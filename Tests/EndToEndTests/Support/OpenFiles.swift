internal import Foundation

/// The limit of open files of this process, which its children inherit.
enum OpenFiles {
  /// Raises it as far as may be, and gives it.
  static func raise() -> Int {
    var limit = rlimit()
    let kind = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    guard getrlimit(kind, &limit) == 0 else { return 1024 }
    limit.rlim_cur = limit.rlim_max
    guard setrlimit(kind, &limit) == 0 else { return 1024 }
    return Int(clamping: limit.rlim_cur)
  }
}
