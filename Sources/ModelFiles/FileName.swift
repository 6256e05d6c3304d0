internal import Glibc

/// Names of files that other files mention.
public enum FileName {
  /// Whether a name stays in its folder: no separator, no step upwards, nothing hidden.
  public static func isPlain(_ name: String) -> Bool {
    !name.isEmpty && name.utf8.count <= 255 && !name.utf8.contains(UInt8(ascii: "/")) && !name.utf8.contains(0)
      && !name.hasPrefix(".")
  }

  /// Whether something can be read under this path.
  public static func exists(_ path: String) -> Bool { !path.utf8.contains(0) && access(path, R_OK) == 0 }

  public static func isDirectory(_ path: String) -> Bool {
    var status = stat()
    return !path.utf8.contains(0) && stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }
}
