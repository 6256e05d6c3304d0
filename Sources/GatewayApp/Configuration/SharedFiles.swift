internal import Foundation

/// Where the term files and rule packs that come with the gateway lie, when the configuration names none.
///
/// In this order: the folder that `WEIGHBRIDGE_SHARE` names; the folder of the executable and those above it (a checkout);
/// `share/weighbridge` beside the executable's folder; `/usr/share/weighbridge`.
enum SharedFiles {
  static func directory(_ name: String, environment: [String: String]) -> String? {
    self.candidates(environment).map { $0 + "/" + name }.first { FileManager.default.fileExists(atPath: $0) }
  }

  private static func candidates(_ environment: [String: String]) -> [String] {
    var candidates: [String] = []
    if let share = environment["WEIGHBRIDGE_SHARE"], !share.isEmpty { candidates.append(share) }
    var folder = URL(fileURLWithPath: self.executable).resolvingSymlinksInPath().deletingLastPathComponent()
    candidates.append(folder.deletingLastPathComponent().appendingPathComponent("share/weighbridge").path)
    for _ in 0..<6 where folder.path != "/" {
      candidates.append(folder.path)
      folder = folder.deletingLastPathComponent()
    }
    return candidates + ["/usr/share/weighbridge"]
  }

  private static var executable: String {
    // Where the link cannot be read the name under which the program was called is as good as can be had.
    (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
  }
}
