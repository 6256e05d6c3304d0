import Documents
import Glibc
import GovernanceTypes
import LicenseTerms
import Testing
import YAMLDocuments

@Suite("What a decision costs")
struct CostTests {
  #if DEBUG
    static let standingLimit = Duration.milliseconds(20)
    static let requestLimit = Duration.milliseconds(5)
    static let loadLimit = Duration.seconds(2)
  #else
    static let standingLimit = Duration.microseconds(400)
    static let requestLimit = Duration.microseconds(100)
    static let loadLimit = Duration.milliseconds(50)
  #endif

  /// The mean of the best of five series, so that a busy machine does not fail the test.
  private func cost(of count: Int, _ body: () throws -> Void) rethrows -> Duration {
    var best = Duration.seconds(3600)
    for _ in 0..<5 {
      let started = processorTime()
      for _ in 0..<count { try body() }
      best = min(best, (processorTime() - started) / count)
    }
    return best
  }

  @Test("a standing, a request's verdict and the loading of a term file stay within their limits")
  func costs() throws {
    let bytes = try TestFiles.bytes(TestFiles.terms)
    let file = try TestFiles.termFile(TestFiles.terms)
    let table = try DecisionTable(Document.parseYAML(TestFiles.bytes(TestFiles.cases)), terms: [file])
    let item = try #require(table.cases.first)
    let base = standing(of: item.question)
    #expect(base.verdict == .allow)
    let facts = FactSheet([
      Fact(key: "request.use_findings", value: .set([]), source: .classifier, reference: "c", recordedAt: item.question.time)
    ])
    let compiling = self.cost(of: 50) { #expect(standing(of: item.question).clauses.count == base.clauses.count) }
    let asking = self.cost(of: 100) { #expect(base.verdict(for: facts, at: item.question.time).verdict == .allow) }
    let loading = try self.cost(of: 1) {
      _ = try TermFile(Document.parseYAML(bytes), digest: file.digest, sha256: { _ in file.documentsDigest })
    }
    #expect(compiling < Self.standingLimit)
    #expect(asking < Self.requestLimit)
    #expect(loading < Self.loadLimit)
  }
}

/// What this thread has had of a processor: a busy machine does not make it longer.
private func processorTime() -> Duration {
  var time = timespec()
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
  return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
}
