import Glibc
import Testing

@Suite("The code knows no license")
struct NoNamesTests {
  @Test("no name of a license, a model family or a licensor stands in the sources")
  func names() throws {
    let names = [
      "llama", "meta platforms", "qwen", "tongyi", "gemma", "falcon", "mistral", "kimi", "baichuan", "hunyuan", "deepseek",
    ]
    var files = 0
    for folder in ["", "Facts", "TermFile", "Evaluation", "Standing", "DecisionTable", "Plan", "Affiliates", "Inventory"] {
      let path = "\(TestFiles.root)/Sources/LicenseTerms/\(folder)"
      for name in try entries(of: path) where name.hasSuffix(".swift") {
        files += 1
        let text = String(decoding: try TestFiles.bytes("\(path)/\(name)"), as: UTF8.self).lowercased()
        for word in names { #expect(!text.contains(word), "\(name) names '\(word)'") }
      }
    }
    #expect(files > 20)
  }

  private func entries(of path: String) throws -> [String] {
    guard let directory = opendir(path) else { throw TestFiles.Unreadable(path: path) }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      names.append(withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
    }
    return names
  }
}
