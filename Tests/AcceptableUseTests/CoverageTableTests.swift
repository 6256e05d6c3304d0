import Foundation
import Testing

@testable import AcceptableUse

@Suite("The table of items")
struct CoverageTableTests {
  @Test("docs/acceptable-use.md is what the term file, the packs, the weights and the figures say")
  func current() throws {
    let page = try CoverageTable().page()
    let file = CoverageTable.root.appendingPathComponent("docs/acceptable-use.md")
    if ProcessInfo.processInfo.environment["WEIGHBRIDGE_WRITE_TABLE"] != nil { try Data(page.utf8).write(to: file) }
    #expect(try CoverageTable.text("docs/acceptable-use.md") == page, "run 'make table-aup'")
  }

  @Test("every leaf item has a detector or a record")
  func covered() throws {
    let table = try CoverageTable()
    #expect(table.items.count == 25)
    for item in table.items {
      let isDetected = table.heads.contains(item.id) || table.packs.contains { $0.uses.contains(ProhibitedUseID(item.id)) }
      let isRecorded = item.clearedBy != nil || !Set(item.seen).isDisjoint(with: ["purpose", "attestation", "system-prompt"])
      #expect(isDetected || isRecorded, "\(item.id)")
    }
  }

  @Test("by default only rules on weapons, drugs, malware, self-harm and children enforce")
  func enforced() throws {
    let allowed = Set(["1a-ii", "1g", "2a", "2b", "2c", "2e"].map { ProhibitedUseID($0) })
    for pack in try shippedPolicy().packs {
      for rule in pack.rules where rule.mode == .enforce {
        #expect(!allowed.isDisjoint(with: rule.uses), "\(pack.id)/\(rule.id)")
      }
    }
  }

  @Test("every rule of every pack does what its own examples say")
  func examples() throws {
    for pack in try shippedPolicy().packs { #expect(pack.test().map(\.description) == [], "\(pack.id)") }
  }
}
